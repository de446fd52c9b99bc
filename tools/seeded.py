#!/usr/bin/env python3
"""Seeded bugs: each patch of tests/seeded must make the test that it names fail, which passes without it.

A patch begins with a sentence that says what is wrong with it, and names its test:
  Caught-by: gate_test SettleTest.no_answer_at_all_costs_the_hold      a unit test
  Caught-by: flow tests/flow/test_routes.py::test_name                 pytest against the built program
The work is done in a copy of the tree under .cache/seeded, which keeps its build from one run to the next."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTESTS = ("flow", "canary")
# Of a unit test: up to the next failure, the trace, or the end.
FIRST_FAILURE = re.compile(r": Failure\n((?:(?!\[  FAILED|Google Test trace|.*: Failure$).+\n)+)", re.M)


@dataclass(frozen=True)
class Seed:
    path: Path
    title: str
    runner: str  # a test binary, or one of PYTESTS
    test: str

    @property
    def name(self):
        return self.path.stem

    @property
    def target(self):
        return "claviger" if self.runner in PYTESTS else self.runner


def say(what):
    print(f"seeded: {what}", file=sys.stderr, flush=True)


def read_seed(path):
    text = path.read_text()
    found = re.search(r"^Caught-by: (\S+) (\S+)$", text, re.MULTILINE)
    title = text.splitlines()[0]
    if not found or title.startswith(("Caught-by", "---")):
        raise ValueError(f"{path.name} needs a sentence and a line 'Caught-by: BINARY TEST'")
    return Seed(path, title, found.group(1), found.group(2))


def seeds(root=ROOT, names=()):
    every = [read_seed(path) for path in sorted((root / "tests/seeded").glob("*.patch"))]
    unknown = set(names) - {seed.name for seed in every}
    if unknown:
        raise ValueError(f"there is no seeded bug named {', '.join(sorted(unknown))}")
    return [seed for seed in every if not names or seed.name in names]


def apply(seed, tree, *options):
    """True when the patch fits exactly: a hunk that has to be looked for elsewhere is out of date."""
    command = ["patch", "-p1", "--silent", "--force", "--fuzz=0", "--no-backup-if-mismatch", *options]
    command += ["--input", str(seed.path)]
    return subprocess.run(command, cwd=tree, capture_output=True).returncode == 0


def has_test(seed, root=ROOT):
    """Whether the test that the patch names exists."""
    if seed.runner in PYTESTS:
        path, _, name = seed.test.partition("::")
        text = (root / path).read_text() if (root / path).is_file() else ""
        return f"def {name.partition('[')[0]}(" in text if name else bool(text)
    suite, _, name = seed.test.partition(".")
    folder = root / "src" / seed.runner.removesuffix("_test")
    written = re.compile(rf"^TEST\w*\(\s*{suite},\s*{name}\)", re.MULTILINE)
    return any(written.search(path.read_text()) for path in folder.glob("*_test.cpp"))


def copy_tree(tree):
    """Brings the copy up to date; files that did not change keep their age, so that little is built again."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout.decode().split("\0")  # fmt: skip
    wanted = {name for name in listed if name and (ROOT / name).is_file()}
    for name in sorted(wanted):
        source, copy = ROOT / name, tree / name
        if copy.is_file() and copy.read_bytes() == source.read_bytes():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        shutil.copymode(source, copy)
    for top in ("src", "tests"):
        for copy in (tree / top).rglob("*"):
            kept = "__pycache__" in copy.parts or str(copy.relative_to(tree)) in wanted
            if copy.is_file() and not kept:
                copy.unlink()


def build(tree, targets):
    command = ["ninja", "-C", "build/release", f"-j{os.cpu_count()}", *sorted(targets)]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True)


@dataclass(frozen=True)
class Run:
    """What came of one test: it passed, or failed for a reason of its own, or did not get that far."""

    passed: bool
    why: str = ""  # the first thing that the test found wrong
    broke: str = ""  # it crashed, hung or never began: that proves nothing


def run_unit(seed, tree):
    command = [tree / "build/release" / seed.runner, f"--gtest_filter={seed.test}"]
    try:
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return Run(False, broke="did not end within 300 s")
    if "[==========] Running 1 test " not in done.stdout:
        return Run(False, broke=f"{seed.runner} has no test {seed.test}")
    if done.returncode not in (0, 1):
        said = (done.stderr or done.stdout).strip().splitlines()
        return Run(False, broke=f"crashed ({done.returncode}): {said[-1] if said else ''}")
    found = FIRST_FAILURE.search(done.stdout)
    return Run(done.returncode == 0, one_line(found.group(1)) if found else "")


def run_pytest(seed, tree):
    python = ROOT / ".cache/venv/bin/python"
    command = [python, "-m", "pytest", "-q", "-x", "--tb=short", "-p", "no:cacheprovider", seed.test]
    env = os.environ | {"CLAVIGER_BIN": str(tree / "build/release/claviger")}
    try:
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, env=env, timeout=600)
    except subprocess.TimeoutExpired:
        return Run(False, broke="did not end within 600 s")
    last = done.stdout.strip().splitlines()[-1:] or [done.stderr.strip()]
    if done.returncode not in (0, 1) or " error" in last[0]:
        return Run(False, broke=f"did not run: {last[0]}")
    found = re.search(r"^E +(.+)$", done.stdout, re.MULTILINE)
    return Run(done.returncode == 0, one_line(found.group(1)) if found else "")


def run(seed, tree):
    return (run_pytest if seed.runner in PYTESTS else run_unit)(seed, tree)


def one_line(text, most=140):
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."


def unsound(chosen, tree):
    """What is wrong before anything of these is sown, all of one target; empty when all is well."""
    built = build(tree, {seed.target for seed in chosen})
    if built.returncode != 0:
        return f"does not build without any seeded bug: {built.stdout[-2000:]}{built.stderr}"
    ran = {seed.test: run(seed, tree) for seed in chosen}
    failing = [f"{test}: {one.broke or one.why}" for test, one in ran.items() if not one.passed]
    return f"failing without any seeded bug: {'; '.join(failing)}" if failing else ""


@dataclass(frozen=True)
class Verdict:
    seed: Seed
    caught: bool
    why: str
    seconds: float = 0


def verdict(seed, tree):
    """Sows one bug, and says whether its test catches it, and by what."""
    if not apply(seed, tree):
        apply(seed, tree, "--reverse")
        return Verdict(seed, False, "does not fit the sources any more")
    try:
        built = build(tree, {seed.target})
        if built.returncode != 0:
            return Verdict(seed, False, f"does not build: {built.stdout[-2000:]}")
        ran = run(seed, tree)
        if ran.passed:
            return Verdict(seed, False, "the test passes all the same")
        return Verdict(seed, not ran.broke, ran.broke or ran.why)
    finally:
        apply(seed, tree, "--reverse")


def table(verdicts):
    """Every bug with the test that caught it and what the test said."""
    width = max(len(one.seed.name) for one in verdicts)
    for one in verdicts:
        word = "caught" if one.caught else "MISSED"
        print(f"{one.seed.name:{width}}  {word}  {one.seconds:4.0f} s  {one.seed.test.rpartition('::')[2]}")
        print(f"{'':{width}}  {one.why}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="*", help="only these, by file name without .patch")
    try:
        chosen = seeds(names=parser.parse_args(arguments).name)
    except ValueError as error:
        parser.error(str(error))
    tree = ROOT / ".cache/seeded/tree"
    tree.mkdir(parents=True, exist_ok=True)
    copy_tree(tree)
    subprocess.run(["cmake", "--preset", "release"], cwd=tree, capture_output=True, check=True)
    verdicts = []
    # The program takes longest to link, so it comes last.
    for target in sorted({seed.target for seed in chosen}, key=lambda name: (name == "claviger", name)):
        of_target = [seed for seed in chosen if seed.target == target]
        say(f"building {target}, and running without any bug what must fail with one")
        wrong = unsound(of_target, tree)
        if wrong:
            print(f"{target}: {wrong}")
            return 1
        for seed in of_target:
            say(f"{len(verdicts) + 1} of {len(chosen)}: {seed.name}. {seed.title}")
            began = time.monotonic()
            one = replace(verdict(seed, tree), seconds=time.monotonic() - began)
            verdicts.append(one)
            say(f"  {'caught' if one.caught else 'MISSED'} after {one.seconds:.0f} s: {one.why}")
    table(verdicts)
    missed = sum(not one.caught for one in verdicts)
    print(f"{len(chosen) - missed} seeded bugs caught, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
