#!/usr/bin/env python3
"""The closed loop, measured: calls that fail while a key is rotated, and keys left behind after kill -9."""

import argparse
import json
import random
import shutil
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import ours
import sections
import server
import tools

ADMIN = "sk-admin-bench000000000000000000000000000000000"
DOCUMENT = server.ROOT / "docs/benchmarks.md"
RATE, STREAMS, MOMENTS = 2_000, 32, 100
CONFIG = '[rotation]\nprobe_every = "1s"\nlist_settle = "2s"\n'


@dataclass
class Row:
    figure: str
    goal: str
    found: str


class Sandbox(server.Server):
    """The double of a provider with its admin API."""

    tls, headers = False, {}

    def __init__(self, folder):
        self.port = server.free_port()
        arguments = [ours.BIN, "sandbox", "--listen", f"127.0.0.1:{self.port}", "--admin-key", ADMIN]
        super().__init__("sandbox", arguments, folder)
        self.ready_when(lambda: server.listens(self.port))

    def live(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_sandbox/admin", timeout=10) as answer:
            keys = json.load(answer)["keys"]
        return [key for key in keys if not key["removed"] and not key["disabled"]]


def gate_before(folder, sandbox):
    """A governed gate whose credential may be rotated."""
    config = folder / "rotation.toml"
    config.write_text(CONFIG)
    gate = ours.Gate("gate", folder, sandbox, options=["--config", config])
    admin = ["--name", "admin", "--provider", "openai", "--environment", "dev", "--kind", "admin"]
    url = f"http://127.0.0.1:{sandbox.port}"
    gate.cli("credential", "add", *admin, "--base-url", url, "--secret-stdin", stdin=ADMIN)
    where = ["--param", "project_id=proj_sandbox", "--param", "service_account_id=svc_acct_sandbox"]
    gate.cli("credential", "link", "upstream", "--admin-credential", "admin", *where)
    return gate


def streams_meanwhile(folder, gate, stop):
    """Streams one after the other until `stop`; how many each thread opened and how many broke."""
    raw = tools.request_file(folder, gate, stream=True).read_bytes()
    raw = raw.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)  # any answer ends with the connection
    tallies = [{"asked": 0, "broken": 0} for _ in range(STREAMS)]

    def one(tally):
        while not stop.is_set():
            tally["asked"] += 1
            got = b""
            try:
                with server.socket.create_connection(("127.0.0.1", gate.port), timeout=60) as sock:
                    sock.sendall(raw)
                    while part := sock.recv(65536):
                        got += part
            except OSError:
                got = b""
            whole = got.startswith(b"HTTP/1.1 200") and got.endswith(b"0\r\n\r\n") and b"[DONE]" in got
            tally["broken"] += not whole

    threads = [threading.Thread(target=one, args=(tally,)) for tally in tallies]
    for thread in threads:
        thread.start()
    return threads, tallies


def failures(gate):
    """By the gate's own journal: calls that were refused or did not end with 200, and all calls."""
    failed = calls = 0
    for path in (gate.data / "journal").rglob("*.jsonl"):
        for line in path.read_text(errors="replace").splitlines():
            if '"t":"receipt"' in line:
                calls += 1
                failed += '"status":200' not in line
            failed += '"t":"refusal"' in line
    return failed, calls


def rotate_under_load(folder, seconds):
    sandbox = Sandbox(folder)
    gate = gate_before(folder, sandbox)
    stop = threading.Event()
    threads, tallies = streams_meanwhile(folder, gate, stop)
    told = {}
    load = threading.Thread(target=lambda: told.update(tools.pace(folder, gate, RATE, seconds=seconds)))
    load.start()
    time.sleep(2)
    start = time.monotonic()
    done = json.loads(gate.cli("rotate", "upstream", "--now", "--wait", "--json"))
    took = time.monotonic() - start
    load.join()
    stop.set()
    for thread in threads:
        thread.join()
    orphans = len(sandbox.live()) - 1
    gate.stop()
    sandbox.stop()
    if done["state"] != "done":
        raise server.Failed(f"the rotation is {done['state']}: {done['trouble']}")
    failed, calls = failures(gate)
    yield Row(f"calls failed during a rotation, {RATE:,} calls/s asked for", "0", f"{failed} of {calls:,}")
    rate = f"{told['requests'] / told['seconds']:,.0f} calls/s"
    yield Row("rate that this machine answered in time", "-", rate)
    asked, bad = (sum(tally[name] for tally in tallies) for name in ("asked", "broken"))
    broken = f"{bad} of {asked:,}"
    yield Row(f"streams broken meanwhile ({STREAMS} at once)", "0", broken)
    yield Row("keys left behind at the provider", "0", str(orphans))
    yield Row("from `rotate --now` to the old key's proven death", "-", f"{took:.1f} s")


def kill_at_moments(folder, moments):
    """Rotations that are killed at seeded moments: what fails after the restart, and what stays behind."""
    sandbox = Sandbox(folder)
    gate = gate_before(folder, sandbox)
    dice = random.Random(1)
    kills = failed = orphans = 0
    while kills < moments:
        begun = json.loads(gate.cli("rotate", "upstream", "--now", "--json"))
        over = False
        while not over:
            time.sleep(dice.uniform(0, 1.0))
            if kills < moments:
                gate.popen.kill()
                gate.popen.wait()
                gate.serve()
                kills += 1
            told = tools.pace(folder, gate, 100, seconds=1)
            failed += told["failed"]
            now = json.loads(gate.cli("rotation", "show", begun["id"], "--json"))
            over = now["over"]
        orphans += max(0, len(sandbox.live()) - 1)
        if now["state"] != "done":
            raise server.Failed(f"the rotation is {now['state']}: {now['trouble']}")
    gate.stop()
    sandbox.stop()
    yield Row(f"calls failed after restart, {moments} seeded kill -9", "0", str(failed))
    yield Row("orphan keys at the provider after them", "0", str(orphans))


def table(rows):
    lines = ["## The closed loop", "", "| | goal | measured |", "|---|---|---|"]
    lines += [f"| {row.figure} | {row.goal} | {row.found} |" for row in rows]
    lines += ["", "`./dev bench loop` rotates a key of class `create` at the double, on this machine."]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a shorter run; writes nothing")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="claviger-loop-"))
    try:
        rows = list(rotate_under_load(folder, 15 if asked.quick else 40))
        rows += list(kill_at_moments(folder, 5 if asked.quick else MOMENTS))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = table(rows)
    print(text)
    if not asked.quick:
        DOCUMENT.write_text(sections.put(DOCUMENT.read_text(), "loop", text))


if __name__ == "__main__":
    main()
