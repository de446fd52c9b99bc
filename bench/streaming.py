"""Server-sent events: memory for each stream held, frames lost, how long frames are on their way."""

import nginx
import ours
import tools
from cpu import cpu_us, until_idle
from figures import compare

ROUNDS = 5
DELTAS = 64
CLOSE = tools.Streaming(streams=200, deltas=DELTAS, gap_ms=20, ramp_ms=211)
# So many that 20 ms apart would be more frames than two cores write, copy and read at all.
MOST = 10_000
SPARE_DESCRIPTORS = 100  # of a gate that holds streams: files, listeners, threads' own


def many(descriptors):
    """As many streams at once as the gate may have descriptors for, two each."""
    streams = min(MOST, (descriptors - SPARE_DESCRIPTORS) // 2)
    return tools.Streaming(streams=streams, deltas=DELTAS, gap_ms=500, ramp_ms=8_111)


def _pairs(told, field):
    return [[one[field] for one in kept] for kept in told]


def frames_20ms(rig, drip, gate, peer):
    """64 deltas 20 ms apart: time to the first and delay of each, beyond direct; processor time a frame."""
    rig.say(f"{CLOSE.streams} streams of {DELTAS} deltas, 20 ms apart")
    told, used = [[], [], []], [[], [], []]
    for _ in range(ROUNDS):
        for at, target in enumerate((drip, gate, peer)):
            pids = target.pids()
            before = cpu_us(pids)
            told[at].append(tools.stream(rig.folder, target, CLOSE))
            until_idle(pids)
            used[at].append((cpu_us(pids) - before) / told[at][-1]["frames"])
    for name, field in (
        ("added_first_token_p50_us", "first_p50_us"),
        ("added_frame_delay_p50_us", "delay_p50_us"),
        ("added_frame_delay_p99_us", "delay_p99_us"),
    ):
        direct, mine, theirs = _pairs(told, field)
        added = [[a - b for a, b in zip(values, direct)] for values in (mine, theirs)]
        yield compare(f"sse_{CLOSE.streams}_{name}_vs_nginx", "us", *added)
    yield compare("cpu_per_frame_vs_nginx", "us", used[1], used[2])


def _hold(rig, proxy, plan):
    """The streams through one proxy: what the client counted, and the KiB that a stream takes."""
    idle, held = proxy.rss_mib(), []
    told = tools.stream(rig.folder, proxy, plan, lambda: held.append(proxy.rss_mib()))
    return told, (held[0] - idle) * 1024 / plan.streams


def many_at_once(rig, drip, gate, peer, plan):
    """All that fit: memory for each, frames lost, delay beyond direct and beside the peer's."""
    rig.say(f"{plan.streams} streams of {DELTAS} deltas, {plan.gap_ms} ms apart: direct, ours, nginx")
    direct = tools.stream(rig.folder, drip, plan)
    told, size = _hold(rig, gate, plan)
    theirs, their_size = _hold(rig, peer, plan)
    whole = [one["streams"] - one["failed"] for one in (told, direct)]
    yield compare("sse_streams_at_once", "streams", whole[:1], whole[1:])
    yield compare("sse_memory_per_stream_kib", "KiB", [size], [their_size])
    yield compare("sse_frames_lost", "frames", [told["lost"]], [direct["lost"]])
    for share in ("p50", "p99"):
        mine, base, other = [one[f"delay_{share}_us"] / 1000 for one in (told, direct, theirs)]
        yield compare(f"sse_frame_delay_{share}_vs_direct_ms", "ms", [mine], [base])
        yield compare(f"sse_frame_delay_{share}_vs_nginx_ms", "ms", [mine], [other])


def streams(rig):
    drip = rig.start("drip", lambda: tools.Drip(rig.folder, CLOSE))
    gate = rig.start("sse", lambda: ours.Gate("sse", rig.folder, drip, workers=rig.workers))
    peer = rig.start("nginx-sse", lambda: nginx.proxy(rig.folder, drip, None, rig.workers, "nginx-sse"))
    yield from frames_20ms(rig, drip, gate, peer)
    rig.stop("drip")
    plan = many(rig.descriptors)
    if plan.streams < MOST:
        reason = f"a process may have {rig.descriptors} descriptors here, and a stream takes two"
        rig.note(f"{plan.streams} streams and not {MOST}: {reason}")
    drip = rig.start("drip", lambda: tools.Drip(rig.folder, plan, drip.port))
    yield from many_at_once(rig, drip, gate, peer, plan)
    rig.stop("sse", "nginx-sse", "drip")
