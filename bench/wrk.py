"""Closed-loop load with wrk: so many connections, each asking again as soon as it is answered."""

import json
import time
from dataclasses import dataclass

import cpu
import question
import server

_SCRIPT = """
wrk.method = "POST"
wrk.path = "{path}"
{headers}
wrk.body = [====[{body}]====]
done = function(summary, latency, requests)
  local e = summary.errors
  print(string.format('BENCH {{"requests":%d,"bad":%d,"us":%d,"p50_us":%d,"p99_us":%d}}', summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout, summary.duration, latency:percentile(50),
    latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Load:
    """What is asked: how many connections, for how long, with how large a body."""

    connections: int
    seconds: float
    size: int = question.SIZES["1k"]


@dataclass(frozen=True)
class Sample:
    """What one proxy did under one load."""

    requests: int
    per_second: float
    p50_us: float
    p99_us: float
    cpu_us: float = 0.0  # of the proxy's processes, for each request


def _script(folder, target, load):
    headers = {"Content-Type": "application/json"} | target.headers
    lines = [f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()]
    path = folder / f"{target.name}-{load.size}.lua"
    text = _SCRIPT.format(path=question.PATH, headers="\n".join(lines), body=question.body(load.size))
    path.write_text(text)
    return path


def parse(text, name):
    """What the script printed at the end. A failed request is no measurement."""
    for line in text.splitlines():
        if line.startswith("BENCH "):
            told = json.loads(line[6:])
            break
    else:
        raise server.Failed(f"wrk said nothing of {name}: {text[-500:]}")
    if told["bad"] or not told["requests"]:
        raise server.Failed(f"{name}: {told['bad']} of {told['requests']} requests failed")
    per_second = told["requests"] * 1_000_000 / told["us"]
    return Sample(told["requests"], per_second, told["p50_us"], told["p99_us"])


def drive(folder, target, load):
    """Puts the load on a target and leaves its processor time alone."""
    scheme = "https" if target.tls else "http"
    text = server.command(
        "wrk", "-t", 1, "-c", load.connections, "-d", f"{load.seconds:g}s", "--timeout", "10s",
        "-s", _script(folder, target, load), f"{scheme}://127.0.0.1:{target.port}",
    )  # fmt: skip
    return parse(text, target.name)


def in_turns(folder, targets, load, rounds, take=None, until=None):
    """A B A B: each target under the load once a round; their samples in order, one list a target. No round
    after the first begins later than `until`."""
    take = take or measure
    samples = [[] for _ in targets]
    for number in range(rounds):
        if number and until and time.monotonic() >= until:
            break
        for target, kept in zip(targets, samples):
            kept.append(take(folder, target, load))
    return samples


def measure(folder, target, load):
    """The load, and the processor time of the target's processes until they have come to rest again."""
    pids = target.pids()
    before = cpu.cpu_us(pids)
    sample = drive(folder, target, load)
    cpu.until_idle(pids)
    used = cpu.cpu_us(pids) - before
    return Sample(sample.requests, sample.per_second, sample.p50_us, sample.p99_us, used / sample.requests)
