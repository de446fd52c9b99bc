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
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTESTS = ("flow", "canary")


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
    command = ["ninja", "-C", "build/release", *sorted(targets)]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True)


def passes(seed, tree):
    if seed.runner in PYTESTS:
        program = tree / "build/release/claviger"
        python = ROOT / ".cache/venv/bin/python"
        command = [python, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", seed.test]
        env = os.environ | {"CLAVIGER_BIN": str(program)}
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, env=env)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{seed.test} did not run: {done.stdout}{done.stderr}")
        return done.returncode == 0
    done = subprocess.run(
        [tree / "build/release" / seed.runner, f"--gtest_filter={seed.test}"],
        cwd=tree, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if "[==========] 1 test " not in done.stdout:
        raise RuntimeError(f"{seed.runner} has no test {seed.test}")
    return done.returncode == 0


def verdict_without(chosen, tree):
    """What is wrong before anything is sown; empty when all is well."""
    built = build(tree, {seed.target for seed in chosen})
    if built.returncode != 0:
        return f"the tree does not build: {built.stdout[-2000:]}{built.stderr}"
    failing = [seed.test for seed in chosen if not passes(seed, tree)]
    return f"failing without any seeded bug: {', '.join(failing)}" if failing else ""


def verdict(seed, tree):
    """What is wrong with one seeded bug; empty when its test catches it."""
    if not apply(seed, tree):
        apply(seed, tree, "--reverse")
        return "does not fit the sources any more"
    try:
        built = build(tree, {seed.target})
        if built.returncode != 0:
            return f"does not build: {built.stdout[-2000:]}"
        return f"{seed.test} passes all the same" if passes(seed, tree) else ""
    finally:
        apply(seed, tree, "--reverse")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="*", help="only these, by file name without .patch")
    chosen = seeds(names=parser.parse_args(arguments).name)
    tree = ROOT / ".cache/seeded/tree"
    tree.mkdir(parents=True, exist_ok=True)
    copy_tree(tree)
    subprocess.run(["cmake", "--preset", "release"], cwd=tree, capture_output=True, check=True)
    wrong = verdict_without(chosen, tree)
    if wrong:
        print(wrong)
        return 1
    missed = 0
    for seed in sorted(chosen, key=lambda one: (one.target, one.name)):
        began = time.monotonic()
        wrong = verdict(seed, tree)
        missed += bool(wrong)
        word = "MISSED" if wrong else "caught"
        spent = time.monotonic() - began
        print(f"{word}  {seed.name:28} {wrong or seed.test}  ({spent:.0f} s)", flush=True)
    print(f"{len(chosen) - missed} seeded bugs caught, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
