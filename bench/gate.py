#!/usr/bin/env python3
"""Measures the gate and its peers in one run on one machine: a table, or one JSON object with --json."""

import argparse
import json
import sys

import cells
import question
import server
import wrk
from rig import Rig


def quick(rig):
    """The three figures that tell most, within 45 s."""
    gate, peer = rig.gate(), rig.nginx()
    yield cells.rss_idle(gate, peer)
    load = wrk.Load(32, 1, question.SIZES["1k"])
    yield cells.cpu_per_request(rig, "cpu_per_request_c32_governed_vs_nginx", gate, peer, load)
    names = ("p50_added_c1_vs_nginx_us", "p99_added_c1_vs_nginx_us")
    yield from cells.added_latency(rig, names, gate, peer, rig.upstream())


def table(found):
    """The cells for people."""

    def shown(value):
        return "-" if value is None else f"{value:g}"

    rows = [("cell", "ours", "peer", "unit", "ratio", "rounds", "spread")]
    for cell in found:
        figures = (shown(cell.ours), shown(cell.peer), cell.unit, shown(cell.ratio))
        rows.append((cell.name, *figures, str(cell.rounds), f"{cell.spread:.0%}"))
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="./dev bench gate", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--quick", action="store_true", help="only the most telling cells, within 45 s")
    parser.add_argument("--workers", type=int, default=1, help="event loops of each proxy (default: 1)")
    asked = parser.parse_args(arguments)
    try:
        with Rig(asked.workers) as rig:
            found = list(quick(rig))
    except server.Failed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    print(json.dumps({"cells": [cell.as_json() for cell in found]}) if asked.json else table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
