"""Leaks, from the report to the lock, the report and the figures, while other keys' calls go on."""

import hashlib
import json
import os
import selectors
import socket
import subprocess
import threading
import time
from contextlib import contextmanager

import figures
import loop_rig
import ours
import question
import server
import tools
from loop_rig import Row

RATE = 5_000
PROBERS = 4  # connections that call with the leaked key without a pause
STREAMS = 32
MODEL = question.MODEL
REFUSED = (401, 403)  # revoked or unknown; frozen


class LeakGate(ours.Gate):
    """Governed, with one upstream for the calls and another, in an environment of its own, for streams."""

    def __init__(self, folder, calls, streams):
        self.streams = streams
        super().__init__("gate", folder, calls, workers=2)

    def _credential(self, behind):
        super()._credential(behind)
        self.cli(
            "credential", "add", "--name", "streams", "--provider", "openai", "--environment", "streams",
            "--base-url", self.streams.url, "--secret-stdin", stdin=ours.SECRET,
        )  # fmt: skip

    def api(self, method, path, body=None):
        connection = loop_rig.UnixConnection(self.data / "claviger.sock")
        headers = {"content-type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 300:
            raise server.Failed(f"{method} {path}: {answer.status} {text[:200]!r}")
        return text

    def victim(self, environment="dev"):
        body = {"name": "victim", "team": "core", "project": "web", "environment": environment}
        return json.loads(self.api("POST", "/api/v1/keys", body | {"budgets": ["1000usd/day"]}))

    def leak(self, key):
        sha256 = hashlib.sha256(key["key"].encode()).hexdigest()
        body = {"sha256": [sha256], "source": "bench", "places": ["a/file:1"]}
        return json.loads(self.api("POST", "/api/v1/leaks", body))["incidents"][0]["id"]


def raw_call(key, body):
    lines = [f"POST {question.PATH} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"Authorization: Bearer {key}", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class Probers:
    """Calls with one key without a pause on some connections: when each began, and its status."""

    def __init__(self, gate, key):
        self.port, self.raw, self.stop = gate.port, raw_call(key, question.body(256)), threading.Event()
        self.calls = [[] for _ in range(PROBERS)]
        self.threads = [threading.Thread(target=self._one, args=(calls,)) for calls in self.calls]
        for thread in self.threads:
            thread.start()

    def _one(self, calls):
        sock = None
        while not self.stop.is_set():
            if sock is None:
                sock = socket.create_connection(("127.0.0.1", self.port), timeout=30)
            began = time.monotonic()
            try:
                sock.sendall(self.raw)
                status, keep = self._answer(sock)
            except OSError:
                status, keep = 0, False
            calls.append((began, status))
            if not keep:
                sock.close()
                sock = None
        if sock:
            sock.close()

    @staticmethod
    def _answer(sock):
        got = b""
        while b"\r\n\r\n" not in got:
            part = sock.recv(65536)
            if not part:
                raise OSError("the connection ended")
            got += part
        head, _, rest = got.partition(b"\r\n\r\n")
        low = head.lower()
        left = int(low.partition(b"content-length: ")[2].partition(b"\r\n")[0]) - len(rest)
        while left > 0:
            part = sock.recv(left)
            if not part:
                raise OSError("the connection ended")
            left -= len(part)
        return int(head[9:12]), b"connection: close" not in low

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        return sorted(call for calls in self.calls for call in calls)

    def accepted(self):
        return any(status == 200 for calls in self.calls for _, status in calls)

    def refused(self):
        return all(calls and calls[-1][1] in REFUSED for calls in self.calls)


def locked_after(calls, start):
    """Seconds from `start` to the beginning of the first call behind which none was let in."""
    last = max(began for began, status in calls if status == 200)
    odd = {status for _, status in calls} - {200, *REFUSED}
    if odd:
        raise server.Failed(f"a leaked key was answered with {odd}")
    return max(0.0, min(began for began, status in calls if began > last) - start)


def one_leak(gate, act=None):
    """A key in use is reported as leaked, by `act` if there is one: seconds until it is locked."""
    key = gate.victim()
    probers = Probers(gate, key["key"])
    server.until(probers.accepted)
    start = time.monotonic()
    if act:
        act(key)
    else:
        gate.leak(key)
    server.until(probers.refused, step_s=0.02)
    return locked_after(probers.end(), start)


def cut_after(gate):
    """Streams of one key are open and it is reported: seconds until the last of them has ended."""
    key = gate.victim("streams")
    body = {"model": MODEL, "max_tokens": 4000, "stream": True}
    body["messages"] = [{"role": "user", "content": "Say much. [[sandbox:lag=50,tokens=2000]]"}]
    raw = raw_call(key["key"], json.dumps(body))
    chooser = selectors.DefaultSelector()
    sockets = []
    for _ in range(STREAMS):
        sock = socket.create_connection(("127.0.0.1", gate.port), timeout=30)
        sock.sendall(raw)
        if not sock.recv(65536).startswith(b"HTTP/1.1 200"):
            raise server.Failed("a stream did not begin")
        chooser.register(sock, selectors.EVENT_READ)
        sockets.append(sock)
    start = time.monotonic()
    reporting = threading.Thread(target=gate.leak, args=(key,))
    reporting.start()
    open_ones, last = set(sockets), start
    while open_ones and time.monotonic() < start + 30:
        for event, _ in chooser.select(1):
            part = event.fileobj.recv(65536)
            if not part or b"stream_cut" in part:
                open_ones.discard(event.fileobj)
                chooser.unregister(event.fileobj)
                last = time.monotonic()
    reporting.join()
    for sock in sockets:
        sock.close()
    if open_ones:
        raise server.Failed(f"{len(open_ones)} streams of a leaked key were not cut")
    return last - start


@contextmanager
def load(folder, gate, told):
    """Other keys' calls at the full rate, for as long as the block lasts."""
    over = threading.Event()

    def go_on():
        while not over.is_set():
            one = tools.pace(folder, gate, RATE, seconds=5)
            for name in ("requests", "failed", "seconds"):
                told[name] = told.get(name, 0) + one[name]

    thread = threading.Thread(target=go_on)
    thread.start()
    time.sleep(1)
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def leak_gate(folder):
    calls, streams = loop_rig.Double(folder, "--lean"), loop_rig.Double(folder)
    gate = LeakGate(folder, calls, streams)
    try:
        yield gate
    finally:
        for one in (gate, calls, streams):
            one.stop()


def report_ready(gate):
    """Of each incident: seconds from containment to its figures and the report that shows them."""
    taken = []
    for listed in json.loads(gate.api("GET", "/api/v1/incidents"))["incidents"]:
        where = "/api/v1/incidents/" + listed["id"]
        shown = {}

        def figures_are_there(where=where, shown=shown):
            shown.update(json.loads(gate.api("GET", where)))
            return shown["accounting"] is not None

        server.until(figures_are_there, step_s=0.1)
        start = time.monotonic()
        report = gate.api("GET", where + "/report?format=html")
        if listed["id"].encode() not in report:
            raise server.Failed("a report does not name its incident")
        taken.append(shown["account_ms"] / 1000 + time.monotonic() - start)
    return taken


def milliseconds(seconds):
    return f"{seconds * 1000:,.0f} ms"


def locked(folder, leaks):
    told, cuts, taken = {}, [], []
    with leak_gate(folder) as gate:
        with load(folder, gate, told):
            for _ in range(leaks):
                taken.append(one_leak(gate))
            for _ in range(max(3, leaks // 20)):
                cuts.append(cut_after(gate))
        ready = report_ready(gate)
    rate = told["requests"] / told["seconds"]
    p99, p50 = figures.quantile(taken, 0.99), figures.median(taken)
    yield Row(
        f"leak reported to every new call refused, {RATE:,} calls/s asked for, p99 of {leaks} leaks",
        "< 250 ms",
        f"{milliseconds(p99)} (median {milliseconds(p50)}; {rate:,.0f} calls/s, {told['failed']} failed)",
    )
    yield Row(
        f"streams of that key cut, {STREAMS} at once, longest of {len(cuts)} leaks",
        "< 1 s",
        milliseconds(max(cuts)),
    )
    yield Row(f"report ready after containment, longest of {len(ready)}", "< 60 s", f"{max(ready):.1f} s")


def committed(folder, commits):
    """A commit whose hook finds and reports a key of ours: seconds from `git commit` to the key's lock."""
    repository = folder / "repository"
    taken, told = [], {}

    def git(*words, check=True):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.test", "-C", repository, *words]
        return subprocess.run(command, check=check, capture_output=True, text=True)

    subprocess.run(["git", "init", "-q", repository], check=True)
    with leak_gate(folder) as gate, load(folder, gate, told):
        hook = repository / ".git/hooks/pre-commit"
        hook.write_text(f'#!/bin/sh\nexec "{ours.BIN}" scan --staged --match "{gate.data}" --report\n')
        os.chmod(hook, 0o755)
        (repository / "README").write_text("nothing\n")
        git("add", "README")
        git("commit", "-qm", "clean")

        def commit(key):
            (repository / "settings.py").write_text(f"KEY = '{key['key']}'\n")
            git("add", "settings.py")
            if git("commit", "-qm", "leak", check=False).returncode == 0:
                raise server.Failed("a commit with a key went through its hook")

        for _ in range(commits):
            taken.append(one_leak(gate, commit))
    yield Row(
        f"commit hook to refusal, {RATE:,} calls/s asked for, longest of {commits} commits",
        "< 1 s",
        milliseconds(max(taken)),
    )


def accounted(folder, receipts):
    told = tools.receipts(folder / "journal", receipts)
    size = f"{told['bytes'] / (1 << 30):.1f} GiB, written in {told['write_s']:.0f} s"
    yield Row(
        f"accounting of a leaked key over {receipts:,} receipts",
        "< 5 s",
        f"{told['key_s']:.1f} s ({told['key_calls']:,} of them its own; {size})",
    )
    yield Row(
        f"the same of a leaked credential, all {told['credential_calls']:,} its own",
        "< 5 s",
        f"{told['credential_s']:.1f} s",
    )
