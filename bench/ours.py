"""Claviger with everything on, as an operator would set it up: scoped key, budgets at every level, limits."""

import json
import os
import tempfile
import time
from pathlib import Path

import server
import tools

BIN = os.environ.get("CLAVIGER_BIN", str(server.ROOT / "build/release/claviger"))
SECRET = "sk-bench-0123456789abcdef0123456789abcdef0123456789abcdef"
PLENTY = "9000000usd"  # more than a run can use up; the same for MANY
MANY = 1_000_000_000
SCOPE = ["--model", "gpt-*", "--endpoint", "chat", "--cidr", "127.0.0.0/8"]


def new_data(folder, name, keys=0):
    """A fresh data directory, with so many keys that nobody uses."""
    data = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder)) / "data"
    server.command(BIN, "init", "--data", data)
    if keys:
        tools.fill_keys(data, keys)
    return data


class Gate(server.Server):
    """`claviger serve` before an upstream, with one key that may do what the rig does."""

    scope = SCOPE

    def __init__(self, name, folder, behind, tls=None, workers=1, options=(), data=None):
        self.name, self.folder = name, folder
        self.data = data or new_data(folder, name)
        self.tls, self.workers, self.options = tls is not None, workers, list(options)
        if tls:
            self.options += ["--config", self._tls_config(tls)]
        self._credential(behind)
        for node in ("org", "team:core", "project:web"):
            self.cli("budget", "set", "--on", node, "--limit", f"{PLENTY}/month")
        self.headers = {"Authorization": f"Bearer {self.new_key('bench', f'{PLENTY}/day')}"}
        self.serve()

    def serve(self):
        """Starts the program; `ready_ms` is how long it took until it said that it is ready."""
        self.port, self.admin_port = server.free_port(), server.free_port()
        arguments = [BIN, "serve", "--data", self.data, "--threads", self.workers, *self.options]
        arguments += ["--listen", f"127.0.0.1:{self.port}", "--admin", f"127.0.0.1:{self.admin_port}"]
        super().__init__(self.name, arguments, self.folder)
        self.ready_when(self.ready, step_s=0.002)
        self.ready_ms = (time.monotonic() - self.started) * 1000

    def ready(self):
        if self.tls:
            return server.listens(self.port)
        return server.status_of(f"http://127.0.0.1:{self.admin_port}/readyz") == 200

    def _tls_config(self, tls):
        path = self.folder / f"{self.name}.toml"
        text = f'[server]\ntls_cert = "{tls.chain}"\ntls_key = "{tls.key}"\n'
        path.write_text(text + f'[upstream]\nca_file = "{tls.authority}"\n')
        return path

    def cli(self, *arguments, stdin=""):
        """One command on the data directory; its text."""
        return server.command(BIN, *arguments, "--data", self.data, stdin=stdin)

    def _credential(self, behind):
        url = f"https://localhost:{behind.port}" if behind.tls else f"http://127.0.0.1:{behind.port}"
        self.cli(
            "credential", "add", "--name", "upstream", "--provider", "openai", "--environment", "dev",
            "--base-url", url, "--secret-stdin", stdin=SECRET,
        )  # fmt: skip

    def new_key(self, name, budget):
        made = self.cli(
            "key", "create", "--name", name, "--team", "core", "--project", "web", "--environment", "dev",
            *self.scope, "--budget", budget, "--rpm", MANY, "--tpm", MANY, "--json",
        )  # fmt: skip
        return json.loads(made)["key"]
