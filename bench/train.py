"""`./dev profile`: puts a program that counts under the loads that matter, so that the next one is laid out
for them: short and long requests, many and few connections, TLS, streams, a tree and a history scanned."""

import nginx
import ours
import question
import rig
import server
import tls
import tools
import wrk
from scan_rig import synthetic_history, timed

SECONDS = 4
HISTORY_MB = 12
FEW, USUAL, MANY = 1, 32, 256
STREAMS = tools.Streaming(streams=100, deltas=64, gap_ms=20, ramp_ms=211)


def closed_loop(bench, secured):
    name = "tls" if secured else "plain"
    upstream = bench.start(f"up-{name}", lambda: nginx.upstream(bench.folder, secured))
    gate = bench.start(name, lambda: ours.Gate(name, bench.folder, upstream, secured))
    for connections in (FEW, USUAL, MANY):
        for size in question.SIZES.values():
            bench.say(f"{name}: {connections} connections, {size} bytes")
            wrk.drive(bench.folder, gate, wrk.Load(connections, SECONDS, size))
    bench.stop(name, f"up-{name}")


def streams(bench):
    bench.say(f"{STREAMS.streams} streams")
    drip = bench.start("drip", lambda: tools.Drip(bench.folder, STREAMS))
    gate = bench.start("sse", lambda: ours.Gate("sse", bench.folder, drip))
    tools.stream(bench.folder, gate, STREAMS)
    bench.stop("sse", "drip")


def scans(bench):
    made = synthetic_history(bench.folder, HISTORY_MB)
    for what in ([made, "--history"], [server.ROOT, "--history"], [server.ROOT / "src"], ["/usr/share"]):
        bench.say(f"scan {what[0]}")
        run = timed([ours.BIN, "scan", *what, "--format", "json", "--no-progress"])
        if run.code not in (0, 1, 3):
            raise server.Failed(f"scan {what[0]}: exit {run.code}")


if __name__ == "__main__":
    with rig.Rig() as bench:
        closed_loop(bench, None)
        closed_loop(bench, tls.make(bench.folder))
        streams(bench)
        scans(bench)
