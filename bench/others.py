"""Ours beside the gateways that packages bring, and what a budget holds under 200 requests at once."""

import ours
import overspend
import peers
import server
import wrk
from figures import compare

ROUNDS = 3
LOAD = wrk.Load(8, 4)


def gateways(rig):
    """Processor time a request: ours governed, theirs bare. Turns are longer than their noise."""
    gate = rig.gate()
    for name, make in (("portkey", peers.Portkey), ("litellm", peers.LiteLlm)):
        rig.say(f"cpu_per_request_c8_governed_vs_{name}")
        try:
            peer = rig.start(name, lambda: make(rig.folder, rig.upstream()))
        except (server.Skipped, server.Failed) as reason:
            rig.note(f"{name} left out: {reason}")
            continue
        samples = wrk.in_turns(rig.folder, [gate, peer], LOAD, ROUNDS)
        mine, theirs = [[sample.cpu_us for sample in kept] for kept in samples]
        yield compare(f"cpu_per_request_c8_governed_vs_{name}", "us", mine, theirs)
        yield compare(f"rss_after_load_mib_vs_{name}", "MiB", [gate.rss_mib()], [peer.rss_mib()])
        rig.stop(name)


def budgets(rig):
    """What a provider's own ledger says was spent, as a share of the key's budget."""
    rig.say("spent_of_budget")
    sandbox = rig.start("sandbox", lambda: overspend.Sandbox(rig.folder))
    gate = rig.start("budget", lambda: ours.Gate("budget", rig.folder, sandbox, workers=rig.workers))
    spent, budget = overspend.spend(gate, sandbox)
    yield compare("spent_of_budget_200_parallel", "budget", [spent / budget])
    rig.stop("budget", "sandbox")
    rig.note("spent_of_budget: Portkey has no budgets; LiteLLM's need PostgreSQL and a Prisma engine")
