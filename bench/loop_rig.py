"""What measurements of the closed loop share: a provider's double, and a gate for each rotation class."""

import hashlib
import http.client
import json
import socket
import urllib.request
from dataclasses import dataclass, field

import ours
import server

ADMIN = "sk-admin-bench000000000000000000000000000000000"
# As an operator would set them for a trial; the time a new key may take bounds how long xAI's old one lives.
CONFIG = '[rotation]\nprobe_every = "1s"\nlist_settle = "2s"\nverify_within = "30s"\n'
QUESTION = "Say something."


@dataclass(frozen=True)
class Row:
    figure: str
    goal: str
    found: str


@dataclass(frozen=True)
class Kind:
    """One class of rotation, by the provider that stands for it."""

    name: str
    provider: str
    model: str
    path: str = "/p/upstream/v1/chat/completions"
    link: tuple = ()  # parameters of the link to the admin credential
    options: tuple = ()  # of the credential
    live: int = 1  # keys that live at the provider when all is quiet
    own: str = ""  # the first secret, where the double does not make it


KINDS = [
    Kind("create (OpenAI)", "openai", "gpt-4o-mini", own="sk-proj-bench0123456789abcdef0123456789abcdef",
         link=("project_id=proj_sandbox", "service_account_id=svc_acct_sandbox")),
    Kind("in place (xAI)", "x-ai", "grok-4", own="xai-bench0123456789abcdef0123456789abcdef0123456789",
         link=("team_id=team_sandbox",)),
    Kind("two slots (Azure)", "azure_openai", "gpt-4o-mini", live=2,
         link=("subscription_id=s", "resource_group=g", "account=a"),
         options=("--parameter", "deployment.gpt-4o-mini=gpt-4o-mini")),
    Kind("by a person (Anthropic)", "anthropic", "claude-haiku-4-5", path="/v1/messages",
         own="sk-ant-api03-bench0123456789abcdef0123456789abcdefAA"),
    Kind("key file (vLLM)", "vllm", "gpt-4o-mini", own="sk-local-bench0123456789abcdef"),
]  # fmt: skip


def told(url, method="GET", body=None, token=None):
    """What the double answers, as JSON."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    asked = urllib.request.Request(url, data=data, method=method, headers=headers)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.load(answer)


class Double(server.Server):
    """The double of the providers, with the admin API or the key file of its class."""

    tls, headers = False, {}

    def __init__(self, folder, *options):
        self.port = server.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        arguments = [ours.BIN, "sandbox", "--listen", f"127.0.0.1:{self.port}", *options]
        super().__init__("double", arguments, folder)
        self.ready_when(lambda: server.listens(self.port))

    def live(self):
        keys = told(self.url + "/_sandbox/admin")["keys"]
        return [key for key in keys if not key["removed"] and not key["disabled"]]


class UnixConnection(http.client.HTTPConnection):
    """The admin API over the gate's own socket, where the same user is owner."""

    def __init__(self, path):
        super().__init__("claviger", timeout=120)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


@dataclass
class House:
    """A governed gate before the double of one class, and what belongs to both."""

    kind: Kind
    double: Double
    gate: ours.Gate
    key_file: object = None
    made: dict = field(default_factory=dict)

    def cli(self, *arguments, stdin=""):
        return json.loads(self.gate.cli(*arguments, "--json", stdin=stdin))

    def show(self, rotation):
        return self.cli("rotation", "show", rotation["id"])

    def request(self, stream=False, lag_ms=0, tokens=16):
        text = QUESTION + (f" [[sandbox:lag={lag_ms}]]" if lag_ms else "")
        body = {"model": self.kind.model, "max_tokens": tokens, "stream": stream}
        body["messages"] = [{"role": "user", "content": text}]
        data = json.dumps(body)
        lines = [f"POST {self.kind.path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in self.gate.headers.items()]
        lines += ["anthropic-version: 2023-06-01"] if self.kind.provider == "anthropic" else []
        return ("\r\n".join([*lines, f"Content-Length: {len(data)}"]) + "\r\n\r\n" + data).encode()

    def request_file(self, folder):
        path = folder / "plain.request"
        path.write_bytes(self.request())
        return path

    def lend_a_hand(self, rotation):
        """What a person does in a rotation that waits for one: makes the key and hands its secret in."""
        if rotation["state"] != "waiting":
            return
        name = next(line for line in rotation["instructions"] if line.startswith("Name")).split()[-1]
        # Lists show a few letters from either end: those of two keys differ.
        secret = f"sk-ant-api03-{hashlib.sha256(rotation['id'].encode()).hexdigest()}AA"
        asked = {"provider": self.kind.provider, "name": name.rstrip("."), "secret": secret}
        self.made[rotation["id"]] = told(self.double.url + "/_sandbox/console", "POST", asked)["id"]
        self.cli("rotation", "intake", rotation["id"], "--secret-stdin", stdin=secret)

    def left_behind(self):
        """Keys beyond those that should live."""
        if self.key_file:
            return len(self.key_file.read_text().split()) - self.kind.live
        return len(self.double.live()) - self.kind.live

    def stop(self):
        self.gate.stop()
        self.double.stop()


class _Gate(ours.Gate):
    def __init__(self, folder, kind, double, secret, config):
        self.kind, self.secret = kind, secret
        path = folder / "loop.toml"
        path.write_text(config)
        self.scope = ["--cidr", "127.0.0.0/8"]
        super().__init__("gate", folder, double, options=["--config", path], workers=2)

    def _credential(self, behind):
        self.cli(
            "credential", "add", "--name", "upstream", "--provider", self.kind.provider,
            "--environment", "dev", "--base-url", behind.url, *self.kind.options,
            "--secret-stdin", stdin=self.secret,
        )  # fmt: skip
        if self.kind.provider == "vllm":
            return
        admin = ["--name", "admin", "--provider", self.kind.provider, "--kind", "admin"]
        where = ["--environment", "dev", "--base-url", behind.url]
        self.cli("credential", "add", *admin, *where, "--secret-stdin", stdin=ADMIN)
        params = [word for one in self.kind.link for word in ("--param", one)]
        self.cli("credential", "link", "upstream", "--admin-credential", "admin", *params)


def first_secret(kind, double):
    if kind.own:
        return kind.own
    account = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"
    return told(f"{double.url}{account}/listKeys?api-version=2025-09-01", "POST", {}, ADMIN)["key1"]


def open_house(folder, kind):
    if kind.provider != "vllm":
        double = Double(folder, "--admin-key", ADMIN)
        secret = first_secret(kind, double)
        return House(kind, double, _Gate(folder, kind, double, secret, CONFIG))
    key_file = folder / "accepted-keys"
    key_file.write_text(kind.own + "\n")
    double = Double(folder, "--key-file", key_file)
    reload = ["/usr/bin/curl", "-fsS", "-X", "POST", f"{double.url}/_sandbox/reload"]
    config = CONFIG + f'[key_file.upstream]\npath = "{key_file}"\nreload = {json.dumps(reload)}\n'
    return House(kind, double, _Gate(folder, kind, double, kind.own, config), key_file)
