"""What is measured: each function makes the cells of one question."""

import wrk
from figures import compare


def cpu_per_request(rig, name, gate, peer, load, rounds=5):
    """Processor time of the proxy's processes for one request, in turns with the peer's."""
    rig.say(name)
    mine, theirs = wrk.in_turns(rig.folder, [gate, peer], load, rounds)
    return compare(name, "us", [s.cpu_us for s in mine], [s.cpu_us for s in theirs])


def added_latency(rig, names, gate, peer, direct, seconds=1, rounds=5):
    """What the proxies add to the answer's time at one connection: (p50 cell, p99 cell)."""
    rig.say(", ".join(names))
    load = wrk.Load(1, seconds)
    samples = wrk.in_turns(rig.folder, [direct, gate, peer], load, rounds, take=wrk.drive)
    cells = []
    for name, field in zip(names, ("p50_us", "p99_us")):
        base, mine, theirs = [[getattr(sample, field) for sample in kept] for kept in samples]
        cells.append(compare(name, "us", _above(mine, base), _above(theirs, base)))
    return cells


def _above(values, base):
    return [value - floor for value, floor in zip(values, base)]


def rss_idle(gate, peer):
    """Resident memory before the first request."""
    return compare("rss_idle_mib", "MiB", [gate.rss_mib()], [peer.rss_mib()])
