"""The highest constant rate at which the answers stay quick: open loop, so that waiting counts."""

import tools
from figures import compare

LADDER = (500, 1000, 2000, 3000, 4000, 6000, 8000, 10_000, 12_000, 15_000, 18_000, 22_000, 26_000, 30_000)
LIMITS_MS = (1, 5, 10)
TRIES = 4  # what else the machine does can only make a run worse: the best one counts


def best_p99_ms(rig, target, rate):
    """The best p99 of a few runs in which nothing failed; None when every run lost something."""
    best = None
    for _ in range(TRIES):
        told = tools.pace(rig.folder, target, rate, seconds=1)
        if not told["failed"]:
            p99 = told["p99_us"] / 1000
            best = p99 if best is None else min(best, p99)
        if best is not None and best <= LIMITS_MS[0]:
            break
    return best


def highest(found, limit_ms):
    """The highest rate of {rate: p99} that keeps the limit; 0 when none does."""
    return max((rate for rate, p99 in found.items() if p99 is not None and p99 <= limit_ms), default=0)


def climb(rig, target):
    """{rate: best p99 in ms}, until two rates running break the widest limit: one may be the machine's."""
    found, broken = {}, 0
    for rate in LADDER:
        found[rate] = best_p99_ms(rig, target, rate)
        kept = found[rate] is not None and found[rate] <= LIMITS_MS[-1]
        broken = 0 if kept else broken + 1
        if broken == 2:
            break
    return found


def open_loop(rig):
    """The rates of ours beside nginx's, and direct for what the machine itself allows."""
    direct, gate, peer = rig.upstream(), rig.gate(), rig.nginx()
    found = {}
    for target in (direct, gate, peer):
        rig.say(f"open-loop rates: {target.name}")
        found[target] = climb(rig, target)
    for limit in LIMITS_MS:
        top = {target: highest(rates, limit) for target, rates in found.items()}
        yield compare(f"rate_p99_{limit}ms_vs_nginx", "req/s", [top[gate]], [top[peer]])
        yield compare(f"rate_p99_{limit}ms_vs_direct", "req/s", [top[gate]], [top[direct]])
