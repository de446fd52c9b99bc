"""What is measured under closed-loop load: processor time, latency, memory, throughput, start."""

import time

import cpu
import ours
import question
import wrk
from figures import compare

ROUNDS = 5


def cpu_per_request(rig, gate, peers, load, until=None):
    """Processor time of the proxies' processes for one request, in turns: a cell for each name in `peers`."""
    rig.say(", ".join(peers))
    targets = list(dict.fromkeys([gate, *peers.values()]))
    samples = dict(zip(targets, wrk.in_turns(rig.folder, targets, load, ROUNDS, until=until)))
    taken = {target: [sample.cpu_us for sample in kept] for target, kept in samples.items()}
    return [compare(name, "us", taken[gate], taken[peer]) for name, peer in peers.items()]


def sizes(rig, connections, names=tuple(question.SIZES)):
    """Processor time at every body size, beside nginx; HAProxy too where the body is small."""
    gate, nginx = rig.gate(), rig.nginx()
    for size in names:
        load = wrk.Load(connections, 2, question.SIZES[size])
        plain = f"cpu_per_request_c{connections}"
        if size == "1k":
            peers = {f"{plain}_governed_vs_nginx": nginx}
            if haproxy := rig.haproxy():
                peers[f"{plain}_governed_vs_haproxy"] = haproxy
        else:
            peers = {f"{plain}_{size}_governed_vs_nginx": nginx}
        yield from cpu_per_request(rig, gate, peers, load)


def over_tls(rig):
    """Processor time with TLS towards the client and towards the upstream, on both proxies."""
    gate, peer = rig.over_tls()
    name = "cpu_per_request_c32_tls_governed_vs_nginx_tls"
    yield from cpu_per_request(rig, gate, {name: peer}, wrk.Load(32, 4))  # handshakes weigh less then
    rig.stop("nginx-tls", "claviger-tls", "upstream-tls")


def added_latency(rig, until=None):
    """What the proxies add to the answer's time at one connection, beyond direct: p50 and p99."""
    rig.say("latency at one connection")
    targets = [rig.upstream(), rig.gate(), rig.nginx()]
    samples = wrk.in_turns(rig.folder, targets, wrk.Load(1, 1), ROUNDS, wrk.drive, until)
    for share in ("p50", "p99"):
        base, mine, theirs = [[getattr(sample, f"{share}_us") for sample in kept] for kept in samples]
        yield compare(f"{share}_added_c1_vs_nginx_us", "us", _above(mine, base), _above(theirs, base))


def _above(values, base):
    return [value - floor for value, floor in zip(values, base)]


def rss_idle(rig):
    """Resident memory before the first request."""
    return compare("rss_idle_mib", "MiB", [rig.gate().rss_mib()], [rig.nginx().rss_mib()])


def memory(rig, seconds=15, rest_s=20):
    """Resident memory of a fresh gate: idle, after so many seconds under load, and after a rest."""
    rig.stop("claviger", "nginx")
    gate, peer = rig.gate("fresh"), rig.nginx()
    rig.say("memory: idle, steady, after")
    idle = [server.rss_mib() for server in (gate, peer)]
    steady = []
    for server in (gate, peer):
        wrk.drive(rig.folder, server, wrk.Load(256, seconds))
        steady.append(server.rss_mib())
    cpu.until_idle(gate.pids(), 60)
    time.sleep(rest_s)
    after = [server.rss_mib() for server in (gate, peer)]
    for name, (mine, theirs) in (("idle", idle), ("steady", steady), ("after", after)):
        yield compare(f"rss_{name}_mib", "MiB", [mine], [theirs])
    yield compare("rss_after_load_vs_idle", "MiB", [after[0]], [idle[0]])
    rig.stop("fresh")


CROWDS = {"10": 10, "100k": 100_000, "1m": 1_000_000}


def make_keys(rig):
    """The data directories for many_keys, before it is its turn."""
    for name, count in CROWDS.items():
        rig.say(f"making {count} keys")
        rig.data[name] = ours.new_data(rig.folder, f"keys-{name}", count)


def many_keys(rig):
    """Processor time among 10, 100 k and 1 M keys; how soon the gate is ready with 100 k."""
    few, many, crowd = [rig.gate(f"keys-{name}", data=rig.data[name]) for name in CROWDS]
    load = wrk.Load(32, 2)
    rig.say("cpu_per_request_c32_keys")
    targets = [few, many, crowd]
    taken = [[s.cpu_us for s in kept] for kept in wrk.in_turns(rig.folder, targets, load, ROUNDS)]
    yield compare("cpu_per_request_c32_keys_100k_vs_10", "us", taken[1], taken[0])
    yield compare("cpu_per_request_c32_keys_1m_vs_10", "us", taken[2], taken[0])
    rig.stop("keys-10", "keys-1m")
    rig.say("start_to_ready_100k_keys_ms")
    ready = []
    for _ in range(ROUNDS):
        many.stop()
        many.serve()
        ready.append(many.ready_ms)
    yield compare("start_to_ready_100k_keys_ms", "ms", ready)
    rig.stop("keys-100k")


def durability(rig):
    """Throughput with every intent on disk before its request leaves, beside the default."""
    rig.say("throughput_c32_disk_vs_process")
    disk = rig.gate("disk", options=["--durability", "disk"])
    samples = wrk.in_turns(rig.folder, [disk, rig.gate()], wrk.Load(32, 2), ROUNDS)
    mine, theirs = [[sample.per_second for sample in kept] for kept in samples]
    yield compare("throughput_c32_disk_vs_process", "req/s", mine, theirs)
    rig.stop("disk")
