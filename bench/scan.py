#!/usr/bin/env python3
"""Measures the scanner and its peers in one run on one machine: a table, or one JSON object with --json."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import scan_peers
import sections
from rig import turn
from scan_rig import best, git, pack_bytes, synthetic_history, timed, without_gaps

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(os.environ.get("CLAVIGER_BIN", ROOT / "build/release/claviger"))
DOCUMENT = ROOT / "docs/benchmarks.md"
SECTION = "scanner"
PEER_TIMEOUT_S = 150  # a slower peer is told as "more than"
PEER_TIMES = 60  # our own time, so that a goal of 50 can be seen to be met


@dataclass
class Cell:
    """One figure of ours beside a peer's or a bound."""

    name: str
    ours: float
    unit: str
    peer: float | None = None
    ratio: float | None = None  # ours to the peer's
    goal: str = ""
    met: bool | None = None
    note: str = ""


class Bench:
    """The cells of one run and what was left out of it."""

    def __init__(self, folder, repository):
        self.folder = folder
        self.repository = repository
        self.notes = []
        self._history = None

    def history(self):
        """Our scan of the whole history, measured once."""
        if self._history is None:
            command = [BIN, "scan", self.repository, "--history", "--format", "json", "--no-progress"]
            self._history = best(command, 2, keep=True)
        return self._history

    def against_git(self):
        ours = self.history()
        theirs = best(
            ["git", "cat-file", "--batch-all-objects", "--unordered", "--buffer", "--batch"],
            2,
            cwd=self.repository,
        )
        ratio = ours.seconds / theirs.seconds
        yield Cell(
            "history_vs_git_cat_file",
            ours.seconds,
            "s",
            theirs.seconds,
            ratio,
            "<= 0.2x",
            ratio <= 0.2,
            self.found(ours),
        )
        mib = ours.anonymous_kib / 1024
        yield Cell("history_anonymous_memory", mib, "MiB", goal="<= 300 MB", met=mib * 1.048576 <= 300)

    def against_gitleaks(self):
        program = scan_peers.gitleaks()
        ours = self.history()
        most = max(PEER_TIMEOUT_S, PEER_TIMES * ours.seconds)
        theirs, findings = self._gitleaks(program, most)
        times = theirs.seconds / ours.seconds
        yield Cell(
            "history_vs_gitleaks",
            ours.seconds,
            "s",
            theirs.seconds,
            1 / times,
            ">= 50x faster",
            times >= 50,
            f"gitleaks found {findings}"
            if theirs.finished
            else f"gitleaks was stopped after {most:.0f} s: it is slower than told",
        )

    def _gitleaks(self, program, most):
        """Its run over the history, stopped after `most` seconds, and how much it found."""
        report = self.folder / "gitleaks.json"
        log = self.folder / "gitleaks.log"
        options = ["--no-banner", "--no-color", "--exit-code", "0", "--report-format", "json"]
        history = without_gaps(self.repository, self.folder)
        command = [program, "git", *options, "--report-path", report, history]
        theirs = timed(["sh", "-c", 'log=$1; shift; exec "$@" 2>"$log"', "sh", log, *command], timeout=most)
        # It ends with 0 all the same: what it did not read was not scanned quickly.
        if troubles := [line for line in log.read_text().splitlines() if " ERR " in line]:
            raise scan_peers.Absent(f"gitleaks gave this repository up: {troubles[0].split(' ERR ')[1]}")
        return theirs, len(json.loads(report.read_text())) if theirs.finished else 0

    def tree(self):
        """A work tree of the newest commit, repeated until it has 5,000 files."""
        tree = self.folder / "tree"
        copies = 0
        while sum(len(files) for _, _, files in os.walk(tree)) < 5000:
            target = tree / f"copy{copies}"
            target.mkdir(parents=True)
            archive = self.folder / "tree.tar"
            git(self.repository, "archive", "-o", archive, "HEAD")
            shutil.unpack_archive(archive, target, filter="data")
            copies += 1
        return tree

    def against_ripgrep(self):
        rg = scan_peers.ripgrep()
        tree = self.tree()
        patterns = self.folder / "patterns"
        patterns.write_text("\n".join(scan_peers.PATTERNS) + "\n")
        theirs = best(
            [rg, "--no-config", "-uu", "--no-unicode", "--dfa-size-limit", "1G", "-f", patterns, tree], 3
        )
        ours = best([BIN, "scan", tree, "--format", "json", "--no-progress"], 3, keep=True)
        ratio = ours.seconds / theirs.seconds
        yield Cell(
            "tree_vs_ripgrep",
            ours.seconds,
            "s",
            theirs.seconds,
            ratio,
            "<= 1.3x",
            ratio <= 1.3,
            self.found(ours),
        )

    def against_detect_secrets(self):
        program = scan_peers.detect_secrets()
        tree = self.folder / "tree"
        # Of a path outside the current folder it reads nothing, and says nothing.
        theirs = timed([program, "scan", "-n", "--all-files", "."], timeout=PEER_TIMEOUT_S, cwd=tree)
        ours = best([BIN, "scan", tree, "--format", "json", "--no-progress"], 1)
        yield Cell(
            "tree_vs_detect_secrets",
            ours.seconds,
            "s",
            theirs.seconds,
            ours.seconds / theirs.seconds,
            "faster",
            ours.seconds < theirs.seconds,
            "" if theirs.finished else "the peer was stopped",
        )

    def against_trufflehog(self):
        program = scan_peers.trufflehog()
        theirs = timed(
            [program, "git", "--no-verification", f"file://{self.repository}"], timeout=PEER_TIMEOUT_S
        )
        ours = self.history()
        yield Cell(
            "history_vs_trufflehog",
            ours.seconds,
            "s",
            theirs.seconds,
            ours.seconds / theirs.seconds,
            "faster",
            ours.seconds < theirs.seconds,
        )

    def small(self):
        repository = self.folder / "small"
        repository.mkdir()
        git(repository, "init", "-q", ".")
        for number in range(20):
            (repository / f"file{number}.py").write_text(f"value_{number} = {number}\n" * 200)
        git(repository, "add", "-A")
        staged = best([BIN, "scan", "--staged", "--no-progress"], 20, cwd=repository)
        yield Cell(
            "staged_20_files", 1000 * staged.seconds, "ms", goal="<= 10 ms", met=staged.seconds <= 0.010
        )
        (self.folder / "empty").write_text("")
        start = best([BIN, "scan", self.folder / "empty", "--no-progress"], 20)
        yield Cell("start_up", 1000 * start.seconds, "ms", goal="<= 10 ms", met=start.seconds <= 0.010)

    @staticmethod
    def found(run):
        try:
            return f"{len(json.loads(run.output)['findings'])} findings, exit {run.code}"
        except (ValueError, KeyError):
            return f"exit {run.code}, no report"

    GROUPS = {
        "git": against_git,
        "ripgrep": against_ripgrep,
        "small": small,
        "gitleaks": against_gitleaks,
        "detect-secrets": against_detect_secrets,
        "trufflehog": against_trufflehog,
    }

    def run(self, wanted):
        cells = []
        for name in wanted:
            try:
                with turn():
                    cells.extend(self.GROUPS[name](self))
            except scan_peers.Absent as absent:
                self.notes.append(f"{name} is left out: {absent}")
                print(f"bench scan: {self.notes[-1]}", file=sys.stderr)
        return cells


def shown(value):
    return "-" if value is None else f"{value:.3g}"


def table(cells):
    rows = ["| cell | ours | peer | unit | ratio | goal | met | |", "|---|---|---|---|---|---|---|---|"]
    for cell in cells:
        met = "" if cell.met is None else "yes" if cell.met else "no"
        rows.append(
            f"| {cell.name} | {shown(cell.ours)} | {shown(cell.peer)} | {cell.unit} | {shown(cell.ratio)} "
            f"| {cell.goal} | {met} | {cell.note} |"
        )
    return "\n".join(rows)


def document(cells, notes, about):
    parts = [
        "## The scanner",
        "",
        f"Measured by `./dev bench scan` on {date.today().isoformat()}, {about}.",
        "Wall time, the best of the rounds, files warm in the page cache; ratio is ours to the peer's.",
        "",
        table(cells),
        "",
    ]
    return "\n".join(parts + [f"- {note}" for note in notes])


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="./dev bench scan", description=__doc__)
    parser.add_argument(
        "repository", nargs="?", help="a large repository; without one, one is made (some minutes)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--only", help=f"some of {','.join(Bench.GROUPS)}; nothing is written then")
    asked = parser.parse_args(arguments)
    wanted = asked.only.split(",") if asked.only else list(Bench.GROUPS)
    if unknown := set(wanted) - set(Bench.GROUPS):
        parser.error(f"--only {','.join(sorted(unknown))}: known are {', '.join(Bench.GROUPS)}")
    with tempfile.TemporaryDirectory(prefix="claviger-bench-") as folder:
        repository = Path(asked.repository).resolve() if asked.repository else synthetic_history(folder)
        size, objects = pack_bytes(repository)
        load = os.getloadavg()[0]
        bench = Bench(Path(folder), repository)
        cells = bench.run(wanted)
        about = (
            f"on a repository of {objects:,} objects in {size / 1e6:.0f} MB of packs, "
            f"{os.cpu_count()} cores, "
            f"load average {load:.1f} before the run"
        )
    if asked.json:
        print(json.dumps({"cells": [asdict(cell) for cell in cells], "notes": bench.notes, "about": about}))
    else:
        print(table(cells))
    if not asked.only:
        old = DOCUMENT.read_text() if DOCUMENT.is_file() else ""
        DOCUMENT.write_text(sections.put(old, SECTION, document(cells, bench.notes, about)))
    return 0 if cells else 1


if __name__ == "__main__":
    sys.exit(main())
