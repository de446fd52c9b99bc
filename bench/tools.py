"""The rig's own programs: the open-loop client, the streaming upstream and its client, many keys at once."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import question
import server

FOLDER = Path(os.environ.get("CLAVIGER_BENCH_TOOLS", server.ROOT / "build/release"))


def fill_keys(data, count):
    server.command(FOLDER / "bench_keys", "--data", data, "--count", count)


def request_file(folder, target, stream=False, size=1024):
    """The request as it goes over the wire."""
    body = question.body(size, stream)
    headers = {"Host": "127.0.0.1", "Content-Type": "application/json"} | target.headers
    headers["Content-Length"] = str(len(body))
    lines = [f"POST {question.PATH} HTTP/1.1", *[f"{name}: {value}" for name, value in headers.items()]]
    path = folder / f"{target.name}-{size}{'-stream' if stream else ''}.request"
    path.write_text("\r\n".join(lines) + "\r\n\r\n" + body)
    return path


def pace(folder, target, rate, seconds=2, connections=64, request=None):
    """Constant rate, open loop: requests, failed, seconds, p50_us, p99_us."""
    text = server.command(
        FOLDER / "bench_pace", "--port", target.port, "--rate", rate, "--seconds", seconds,
        "--connections", connections, "--request", request or request_file(folder, target),
    )  # fmt: skip
    return json.loads(text)


def receipts(folder, count):
    """A journal of so many receipts in `folder`, and how long it takes to read exposures out of it."""
    return json.loads(server.command(FOLDER / "bench_receipts", "--folder", folder, "--count", count))


@dataclass(frozen=True)
class Streaming:
    """How many streams at once, started over how long; how many deltas each, how far apart."""

    streams: int
    deltas: int
    gap_ms: int
    ramp_ms: int


class Drip(server.Server):
    """The upstream that streams as one Streaming says. Its port stays when it is started anew."""

    tls, headers = False, {}

    def __init__(self, folder, plan, port=None):
        self.port = port or server.free_port()
        arguments = [FOLDER / "bench_drip", "--port", self.port, "--deltas", plan.deltas]
        super().__init__("drip", [*arguments, "--gap-ms", plan.gap_ms], folder)
        self.ready_when(lambda: server.listens(self.port))


def stream(folder, target, plan, when_open=lambda: None):
    """Holds the streams and calls `when_open` when all are running; what the client counted."""
    arguments = [FOLDER / "bench_streams", "--port", target.port, "--streams", plan.streams]
    arguments += ["--deltas", plan.deltas, "--ramp-ms", plan.ramp_ms]
    arguments += ["--request", request_file(folder, target, stream=True)]
    client = subprocess.Popen([str(word) for word in arguments], stdout=subprocess.PIPE, text=True)
    opened = client.stdout.readline().strip()
    if opened == "OPEN":
        when_open()
    text = client.stdout.read()
    if client.wait() != 0 or opened != "OPEN":
        raise server.Failed(f"bench_streams on {target.name}: exit {client.returncode}")
    return json.loads(text)
