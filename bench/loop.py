#!/usr/bin/env python3
"""The closed loop, measured: leaks to lock, figures, keys of each class replaced under load and kill -9."""

import argparse
import shutil
import tempfile
from pathlib import Path

import loop_leak
import loop_rig
import loop_rotation
import sections
import server

DOCUMENT = server.ROOT / "docs/benchmarks.md"
PARTS = ("leaks", "receipts", "rotations", "kills")
NOTE = """
`./dev bench loop` measures on this machine, with the double of each provider in the provider's place: its
admin API makes and ends the keys, its inference plane takes and refuses them. The time to a lock is from the
report's first byte to the beginning of the first call of that key behind which no call was let in. A stream
that breaks counts as a failed call. `--only` measures a part of it anew, and leaves the other rows.
"""


def measure(folder, parts, quick, kinds):
    if "leaks" in parts:
        yield from loop_leak.locked(room(folder), 20 if quick else 200)
        yield from loop_leak.committed(room(folder), 5 if quick else 20)
    if "receipts" in parts:
        yield from loop_leak.accounted(room(folder), 200_000 if quick else 10_000_000)
    for kind in kinds if "rotations" in parts else []:
        yield from loop_rotation.under_load(room(folder), kind, quick)
    for kind in kinds if "kills" in parts else []:
        yield from loop_rotation.killed(room(folder), kind, 5 if quick else loop_rotation.MOMENTS)


def room(folder):
    return Path(tempfile.mkdtemp(dir=folder))


def kept(document):
    """The rows that stand in the document, by figure."""
    found = {}
    for line in sections.get(document, "loop").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 3 and cells[0]:
            found[cells[0]] = loop_rig.Row(*cells)
    return found


def table(rows):
    lines = ["## The closed loop", "", "| | goal | measured |", "|---|---|---|"]
    lines += [f"| {row.figure} | {row.goal} | {row.found} |" for row in rows]
    return "\n".join(lines) + "\n" + NOTE.rstrip()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a shorter run; writes nothing")
    parser.add_argument("--only", metavar="PART,...", default=",".join(PARTS), help="of " + ", ".join(PARTS))
    parser.add_argument("--class", dest="kind", default="", help="only classes whose name holds this")
    asked = parser.parse_args()
    parts = asked.only.split(",")
    kinds = [kind for kind in loop_rig.KINDS if asked.kind in kind.name]
    if not kinds or not set(parts) <= set(PARTS):
        parser.error("there are the parts " + ", ".join(PARTS) + "; the classes are in bench/loop_rig.py")
    folder = Path(tempfile.mkdtemp(prefix="claviger-loop-"))
    rows = {} if parts == list(PARTS) and len(kinds) == len(loop_rig.KINDS) else kept(DOCUMENT.read_text())
    try:
        for row in measure(folder, parts, asked.quick, kinds):
            print(f"{row.figure}: {row.found}", flush=True)
            rows[row.figure] = row
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not asked.quick:
        DOCUMENT.write_text(sections.put(DOCUMENT.read_text(), "loop", table(rows.values())))


if __name__ == "__main__":
    main()
