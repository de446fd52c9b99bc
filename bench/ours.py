"""Claviger with everything on, as an operator would set it up: scoped key, budgets at every level, limits."""

import json
import os

import server

BIN = os.environ.get("CLAVIGER_BIN", str(server.ROOT / "build/release/claviger"))
SECRET = "sk-bench-0123456789abcdef0123456789abcdef0123456789abcdef"
PLENTY = "9000000usd"
MANY = 1_000_000_000
SCOPE = ["--model", "gpt-*", "--endpoint", "chat", "--cidr", "127.0.0.0/8"]


class Gate(server.Server):
    """`claviger serve` before an upstream, with one key that may do what the rig does."""

    def __init__(self, name, folder, behind, tls=None, workers=1, options=(), data=None):
        self.folder = folder / name
        self.folder.mkdir(exist_ok=True)
        self.data = data or self.folder / "data"
        self.tls = tls is not None
        self.port, self.admin_port = server.free_port(), server.free_port()
        if data is None:
            self.cli("init")
        arguments = [BIN, "serve", "--data", self.data, "--threads", workers, *options]
        arguments += ["--listen", f"127.0.0.1:{self.port}", "--admin", f"127.0.0.1:{self.admin_port}"]
        if tls:
            arguments += ["--config", self._tls_config(tls)]
        super().__init__(name, arguments, folder)
        self.ready_when(self.ready, step_s=0.002)
        self.ready_ms = (server.time.monotonic() - self.started) * 1000
        self._behind(behind)

    def _tls_config(self, tls):
        path = self.folder / "claviger.toml"
        text = f'[server]\ntls_cert = "{tls.chain}"\ntls_key = "{tls.key}"\n'
        path.write_text(text + f'[upstream]\nca_file = "{tls.authority}"\n')
        return path

    def ready(self):
        if self.tls:
            return server.listens(self.port)
        return server.status_of(f"http://127.0.0.1:{self.admin_port}/readyz") == 200

    def cli(self, *arguments, stdin=""):
        """One command on the data directory; its text."""
        return server.command(BIN, *arguments, "--data", self.data, stdin=stdin)

    def _behind(self, behind):
        """Credential, budgets and the key. Everything is far larger than what a run can use up."""
        url = f"https://localhost:{behind.port}" if behind.tls else f"http://127.0.0.1:{behind.port}"
        self.cli(
            "credential", "add", "--name", f"{self.name}-{behind.port}", "--provider", "openai",
            "--environment", "dev", "--base-url", url, "--secret-stdin", stdin=SECRET,
        )  # fmt: skip
        for node in ("org", "team:core", "project:web"):
            self.cli("budget", "set", "--on", node, "--limit", f"{PLENTY}/month")
        self.key = self.new_key("bench", f"{PLENTY}/day")
        self.headers = {"Authorization": f"Bearer {self.key}"}

    def new_key(self, name, budget):
        made = self.cli(
            "key", "create", "--name", name, "--team", "core", "--project", "web", "--environment", "dev",
            *SCOPE, "--budget", budget, "--rpm", MANY, "--tpm", MANY, "--json",
        )  # fmt: skip
        return json.loads(made)["key"]
