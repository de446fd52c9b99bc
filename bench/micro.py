#!/usr/bin/env python3
"""Runs the micro-benchmarks and holds their ratios to a calibration loop against bench/baseline.json."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import server

FOLDER = server.ROOT / "build/bench"
BASELINE = server.ROOT / "bench/baseline.json"
CALIBRATION = "calibration"
TOLERANCE = 1.6  # compilers, cores and neighbours differ by less than this; a mistake costs more
REPETITIONS = 5


def run(binary, only=""):
    """What Google Benchmark says of one binary, shown as it goes: {name: [nanoseconds a repetition]}."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        arguments = [binary, f"--benchmark_out={out}", "--benchmark_out_format=json"]
        arguments += [f"--benchmark_repetitions={REPETITIONS}", "--benchmark_min_time=0.05"]
        arguments += ["--benchmark_enable_random_interleaving=true"]
        if only:
            arguments.append(f"--benchmark_filter={only}|^{CALIBRATION}$")
        done = subprocess.run([str(word) for word in arguments])
        if done.returncode != 0:
            raise server.Failed(f"{binary.name} ended with {done.returncode}")
        return times(json.loads(out.read_text()))


NANOSECONDS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


def times(told):
    """{name: [processor nanoseconds]} of a Google Benchmark document; what failed raises."""
    found = {}
    for one in told["benchmarks"]:
        if one.get("error_occurred"):
            raise server.Failed(f"{one['name']}: {one['error_message']}")
        if one.get("run_type", "iteration") == "iteration":
            taken = one["cpu_time"] * NANOSECONDS[one["time_unit"]]
            found.setdefault(one["run_name"], []).append(taken)
    return found


def ratios(name, found):
    """{binary/benchmark: its fastest repetition, in fastest calibration loops}: noise only ever slows."""
    base = min(found[CALIBRATION])
    return {
        f"{name}/{which}": float(f"{min(taken) / base:.4g}")
        for which, taken in found.items()
        if which != CALIBRATION
    }


def held_against(baseline, measured, tolerance=TOLERANCE):
    """[(benchmark, ratio, baseline ratio or None, what became of it)]."""
    rows = []
    for name, ratio in measured.items():
        known = baseline.get(name)
        verdict = "new" if known is None else "regressed" if ratio > known * tolerance else "held"
        if known is not None and ratio * tolerance < known:
            verdict = "faster: record it"
        rows.append((name, ratio, known, verdict))
    return rows


def gone(baseline, measured):
    """What the baseline knows and nobody measures any more."""
    return sorted(set(baseline) - set(measured))


def tell(rows):
    print(f"\nA ratio is to the calibration loop; regressed is more than {TOLERANCE:g} times the baseline.\n")
    width = max(len(name) for name, *_ in rows)
    for name, ratio, known, verdict in rows:
        before = "-" if known is None else f"{known:.4g}"
        print(f"{name.ljust(width)}  {ratio:10.4g}  {before:>10}  {verdict}")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="./dev bench micro", description=__doc__)
    parser.add_argument("--only", default="", help="benchmarks whose name matches this expression")
    parser.add_argument("--check", action="store_true", help="end with 1 when one regressed")
    parser.add_argument("--record", action="store_true", help="make what was measured the new baseline")
    asked = parser.parse_args(arguments)
    measured = {}
    for binary in sorted(FOLDER.glob("*_bench")):
        measured |= ratios(binary.name, run(binary, asked.only))
    known = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    rows = held_against(known, measured)
    tell(rows)
    missing = [] if asked.only else gone(known, measured)
    if missing:
        print(f"\nnot measured any more (--record forgets them): {', '.join(missing)}")
    if asked.record:
        kept = known | measured if asked.only else measured
        BASELINE.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
    slower = [name for name, *_, verdict in rows if verdict == "regressed"]
    if slower:
        print(f"\nregressed: {', '.join(slower)}")
    return 1 if slower and asked.check else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except server.Failed as failure:
        sys.exit(f"bench: {failure}")
