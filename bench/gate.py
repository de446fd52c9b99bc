#!/usr/bin/env python3
"""Measures the gate and its peers in one run on one machine: a table, or one JSON object with --json."""

import argparse
import json
import signal
import sys
from pathlib import Path

import cells
import others
import peers
import question
import rates
import report
import sections
import server
import streaming
import wrk
from rig import Rig, turn

QUICK_S = 34  # after which a quick run begins no further round
DOCUMENT = server.ROOT / "docs/benchmarks.md"


def quick(rig):
    """The three figures that tell most, within 45 s."""
    yield cells.rss_idle(rig)
    peers_of = {"cpu_per_request_c32_governed_vs_nginx": rig.nginx()}
    load = wrk.Load(32, 1, question.SIZES["1k"])
    yield from cells.cpu_per_request(rig, rig.gate(), peers_of, load, rig.begun + QUICK_S / 2)
    yield from cells.added_latency(rig, rig.begun + QUICK_S)


# What a full run measures, in this order; each takes at most three minutes.
GROUPS = {
    "c32": lambda rig: cells.sizes(rig, 32),
    "c256": lambda rig: cells.sizes(rig, 256),
    "tls": cells.over_tls,
    "latency": cells.added_latency,
    "rates": rates.open_loop,
    "memory": cells.memory,
    "keys": cells.many_keys,
    "durability": cells.durability,
    "streams": streaming.streams,
    "gateways": others.gateways,
    "budgets": others.budgets,
}

# What some of them need beforehand, so that no turn is spent on it.
PREPARED = {"keys": cells.make_keys, "gateways": lambda rig: peers.install()}


def measure(rig, plan):
    """The cells of the plan's groups. A group that cannot be measured leaves a note and not the run."""
    found = []
    for name, group in plan.items():
        try:
            if name in PREPARED:
                PREPARED[name](rig)
            with turn():
                found.extend(group(rig))
        except server.Failed as failure:
            rig.note(f"{name} is incomplete: {failure}")
    return found


def options(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench gate", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--quick", action="store_true", help="only the most telling cells, within 45 s")
    parser.add_argument("--only", help=f"some of {','.join(GROUPS)}; nothing is written then")
    parser.add_argument("--workers", type=int, default=1, help="event loops of each proxy (default: 1)")
    parser.add_argument("--write", type=Path, default=DOCUMENT, help="where a full run puts its document")
    asked = parser.parse_args(arguments)
    wanted = asked.only.split(",") if asked.only else list(GROUPS)
    if unknown := set(wanted) - set(GROUPS):
        parser.error(f"--only {','.join(sorted(unknown))}: known are {', '.join(GROUPS)}")
    chosen = {name: group for name, group in GROUPS.items() if name in wanted}
    asked.plan = {"quick": quick} if asked.quick else chosen
    return asked


def main(arguments=None):
    asked = options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    with Rig(asked.workers) as rig:
        found = measure(rig, asked.plan)
    print(json.dumps({"cells": [cell.as_json() for cell in found]}) if asked.json else report.table(found))
    if not (asked.quick or asked.only):
        written = report.document(found, rig.notes, rig.load_before)
        if asked.write.is_file():
            written = sections.carry(asked.write.read_text(), written, "scanner", "loop")
        asked.write.write_text(written)
        rig.say(f"wrote {asked.write}")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
