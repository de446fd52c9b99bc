"""The rig of the flow tests: real processes on free ports, the command line, and small HTTP clients."""

import asyncio
import contextlib
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import h11

ROOT = Path(__file__).resolve().parents[2]
BIN = os.environ.get("CLAVIGER_BIN", str(ROOT / "build/release/claviger"))
# A sanitised program is slower by an order of magnitude; nothing is measured, only waited for.
PATIENCE = 60
DIALECTS = ("openai", "anthropic", "gemini")

_ports = random.Random(os.getpid())
_given = set()


def free_port():
    """A port below the range that the kernel hands out to clients, so that no client takes it meanwhile.

    None is given twice: two that are asked for before either is bound are not the same.
    """
    while True:
        port = _ports.randrange(10000, 30000)
        if port in _given:
            continue
        _given.add(port)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def until(what, patience=PATIENCE, step=0.02):
    """Calls `what` until it returns something true, and returns that; fails after a while."""
    end = time.monotonic() + patience
    while True:
        got = what()
        if got:
            return got
        assert time.monotonic() < end, f"waited {patience} s in vain for {what}"
        time.sleep(step)


class Process:
    """One process with its log; what it printed is kept for the canary."""

    started = []  # all of them

    def __init__(self, arguments, log, env=None):
        self.log = Path(log)
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen(
                arguments, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=env
            )
        Process.started.append(self)

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def stop(self):
        """SIGTERM; returns the exit code."""
        if self.alive():
            self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(PATIENCE)

    def kill(self):
        if self.alive():
            self.popen.kill()
        self.popen.wait(PATIENCE)

    def text(self):
        return self.log.read_text(errors="replace")


@contextlib.contextmanager
def nothing_left():
    """What is started within and does not end by itself, or by its owner, is killed at the end."""
    before = len(Process.started)
    try:
        yield
    finally:
        for one in Process.started[before:]:
            one.kill()
        del Process.started[before:]


def get(url, token=None, method="GET", body=None, patience=PATIENCE):
    """(status, parsed JSON or text, headers)."""
    headers = {"content-type": "application/json"} if body is not None else {}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        answer = urllib.request.urlopen(request, timeout=patience)
    except urllib.error.HTTPError as error:
        answer = error
    text = answer.read().decode()
    try:
        return answer.status, json.loads(text), answer.headers
    except json.JSONDecodeError:
        return answer.status, text, answer.headers


class Sandbox:
    """The sandbox provider: the oracle. It is never killed."""

    def __init__(self, folder, *options):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [BIN, "sandbox", "--listen", f"127.0.0.1:{self.port}", *options]
        self.process = Process(command, Path(folder) / "sandbox.log")
        until(self.answers)

    def answers(self):
        assert self.process.alive(), self.process.text()
        try:
            return get(self.url + "/_sandbox/stats")[0] == 200
        except OSError:
            return False

    def ledger(self):
        """Its ledger once nothing is in flight any more."""
        until(lambda: self.stats()["in_flight"] == 0)
        return get(self.url + "/_sandbox/ledger")[1]

    def stats(self):
        return get(self.url + "/_sandbox/stats")[1]

    def received(self):
        return self.stats()["received"]

    def cost(self):
        return self.ledger()["total_cost_nanousd"]

    def reset(self):
        until(lambda: self.stats()["in_flight"] == 0)
        get(self.url + "/_sandbox/reset", method="POST", body={})

    def revoke(self, key):
        get(self.url + "/_sandbox/revoke", method="POST", body={"key": key})

    def script(self, rules):
        status, answer, _ = get(self.url + "/_sandbox/script", method="POST", body=rules)
        assert status == 200, answer

    def stop(self):
        return self.process.stop()


def provider_key(provider, tag="flow"):
    """A provider's secret of a plausible shape, different for each provider and tag."""
    digest = hashlib.sha256(f"{provider}/{tag}".encode()).hexdigest()
    prefix = {"openai": "sk-proj-", "anthropic": "sk-ant-api03-", "gemini": "AIza"}.get(provider, "sk-")
    return prefix + digest[:40]


class Gate:
    """`claviger serve` over a data directory of its own."""

    def __init__(self, folder, sandbox=None, options=(), config=None, start=True):
        self.folder = Path(folder)
        self.data = self.folder / "data"
        self.sandbox = sandbox
        self.options = list(options)
        self.process = None
        self.outputs = []  # of every command, for the canary
        self.cli("init", "--data", self.data)
        if config is not None:
            path = self.folder / "claviger.toml"
            path.write_text(config)
            self.options += ["--config", str(path)]
        if start:
            self.start()
            if sandbox:
                self.add_credentials()

    def start(self):
        self.port, self.admin_port = free_port(), free_port()
        self.url, self.admin = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.admin_port}"
        command = [BIN, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"]
        command += ["--admin", f"127.0.0.1:{self.admin_port}", *self.options]
        self.process = Process([str(part) for part in command], self.folder / "serve.log")
        until(self.ready)

    def ready(self):
        assert self.process.alive(), self.process.text()
        try:
            return get(self.admin + "/readyz")[0] == 200
        except OSError:
            return False

    def stop(self):
        return self.process.stop() if self.process else 0

    def run(self, *arguments, stdin="", fds=()):
        """One command; (exit code, stdout, stderr)."""
        command = [BIN, *[str(argument) for argument in arguments]]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=PATIENCE, pass_fds=tuple(fds)
        )
        self.outputs.append(done.stdout + done.stderr)
        return done.returncode, done.stdout, done.stderr

    def cli(self, *arguments, stdin=""):
        """One command that must succeed; its JSON, or its text."""
        code, out, err = self.run(*arguments, stdin=stdin)
        assert code == 0, f"{arguments}: exit {code}: {out}{err}"
        try:
            return json.loads(out)
        except json.JSONDecodeError:
            return out

    def credential(self, name, provider, base_url, secret, environment="dev", *options):
        return self.cli(
            "credential", "add", "--data", self.data, "--name", name, "--provider", provider,
            "--environment", environment, "--base-url", base_url, *options, "--secret-stdin", stdin=secret,
        )  # fmt: skip

    def add_credentials(self, environment="dev", tag="flow"):
        for provider in DIALECTS:
            secret = provider_key(provider, tag)
            self.credential(f"{provider}-{environment}", provider, self.sandbox.url, secret, environment)

    def key(self, *options, name=None, project="flow", environment="dev"):
        """A new key as {"id", "key"}."""
        name = name or f"key-{_ports.randrange(1 << 60)}"
        return self.cli(
            "key", "create", "--data", self.data, "--name", name, "--project", project,
            "--environment", environment, *options, "--json",
        )  # fmt: skip

    def usage(self, by="key"):
        """{group: row} of what is settled by now."""
        answer = self.cli("usage", "--data", self.data, "--by", by, "--json")
        rows = answer["rows"] if isinstance(answer, dict) else answer
        return {row[by]: row for row in rows}

    def settled(self):
        return sum(row["cost_nanousd"] for row in self.usage().values())

    def budgets(self, node=None):
        token = self.owner_token()
        query = f"?on={node}" if node else ""
        return get(self.admin + "/api/v1/budgets" + query, token)[1]["budgets"]

    def owner_token(self):
        if not hasattr(self, "_token"):
            answer = self.socket_request("POST", "/api/v1/tokens", {"name": "flow", "role": "owner"})
            self._token = answer["token"]
        return self._token

    def socket_request(self, method, path, body=None):
        """A request to the admin API over the unix socket, where the same user is owner."""
        data = json.dumps(body or {}).encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: claviger\r\ncontent-type: application/json\r\n"
        head += f"content-length: {len(data)}\r\nconnection: close\r\n\r\n"
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(self.data / "claviger.sock"))
            sock.sendall(head.encode() + data)
            parts = []
            while part := sock.recv(65536):
                parts.append(part)
        status, _, answer = parse_answer(b"".join(parts))
        assert status < 300, answer
        return json.loads(answer) if answer else None

    def journal(self):
        """Every record of the journal, as it lies on disk."""
        for path in sorted((self.data / "journal").rglob("*.jsonl")):
            for line in path.read_text(errors="replace").splitlines():
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:
                    continue  # the torn last line of a killed process

    def nothing_in_flight(self):
        """Waits until no request is held for by any budget, nor under way at the sandbox."""
        until(lambda: all(budget["held_nanousd"] == 0 for budget in self.budgets()))
        until(lambda: self.sandbox.stats()["in_flight"] == 0)


def parse_answer(raw, method="POST"):
    """(status, headers as a dict, body) of one HTTP answer; fails when its framing is wrong."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("host", "x"), ("content-length", "0")]))
    client.send(h11.EndOfMessage())
    client.receive_data(raw)
    status, headers, body = 0, {}, b""
    while True:
        event = client.next_event()
        if event is h11.NEED_DATA:
            client.receive_data(b"")
            event = client.next_event()
        if isinstance(event, h11.Response):
            status = event.status_code
            headers = {name.decode(): value.decode() for name, value in event.headers}
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return status, headers, body
        elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
            raise AssertionError(f"no whole answer in {raw[:300]!r}")


def request_bytes(method, path, headers, body=b""):
    lines = [f"{method} {path} HTTP/1.1", "host: gate.test"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method == "POST":
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def auth(dialect, key):
    """The header in which a dialect's SDK sends its key."""
    if dialect == "anthropic":
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}
    return {"x-goog-api-key": key} if dialect == "gemini" else {"authorization": f"Bearer {key}"}


MODELS = {"openai": "gpt-4o-mini", "anthropic": "claude-haiku-4-5", "gemini": "gemini-2.5-flash"}


def question(dialect, text="Say something.", stream=False, max_tokens=64, model=None, **more):
    """(path, body) of a plain request in a dialect."""
    model = model or MODELS[dialect]
    if dialect == "gemini":
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        body = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
        body["generationConfig"] = {"maxOutputTokens": max_tokens}
        return f"/v1beta/models/{model}:{verb}", body | more
    body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": max_tokens}
    if stream:
        body["stream"] = True
    path = "/v1/messages" if dialect == "anthropic" else "/v1/chat/completions"
    return path, body | more


def ask_bytes(dialect, key, text="Say something.", extra=None, **options):
    path, body = question(dialect, text, **options)
    headers = auth(dialect, key) | {"content-type": "application/json"} | (extra or {})
    return request_bytes("POST", path, headers, json.dumps(body).encode())


async def exchange(port, raw, stop_after=None, half_close=False, patience=PATIENCE):
    """Sends `raw` on a connection of its own, reads the answer; breaks off after `stop_after` bytes of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        writer.write(raw)
        await writer.drain()
        if half_close:
            writer.write_eof()
        if stop_after == 0:
            return got
        while stop_after is None or len(got) < stop_after:
            want = 65536 if stop_after is None else stop_after - len(got)
            part = await asyncio.wait_for(reader.read(want), patience)
            if not part:
                break
            got += part
            if whole(got):
                break
    except (ConnectionResetError, BrokenPipeError):
        pass
    finally:
        writer.transport.abort()  # not a polite close: the client is gone
    return got


def whole(raw):
    """Whether the bytes hold a complete answer."""
    head, blank, body = raw.partition(b"\r\n\r\n")
    if not blank:
        return False
    low = head.lower()
    if b"transfer-encoding: chunked" in low:
        return body.endswith(b"0\r\n\r\n")
    length = low.partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return length.isdigit() and len(body) >= int(length)


def ask(gate, dialect, key, text="Say something.", extra=None, **options):
    """One whole exchange; (status, headers, body)."""
    raw = asyncio.run(exchange(gate.port, ask_bytes(dialect, key, text, extra, **options)))
    return parse_answer(raw)


def get_raw(gate, method, path, headers, body=b""):
    """One exchange of any method; (status, headers, body)."""
    raw = request_bytes(method, path, headers, body)
    return parse_answer(asyncio.run(exchange(gate.port, raw)), method)


async def gather(tasks, at_once=200):
    """Runs coroutines, so many at a time; results in order."""
    slots = asyncio.Semaphore(at_once)

    async def one(task):
        async with slots:
            return await task

    return await asyncio.gather(*[one(task) for task in tasks])
