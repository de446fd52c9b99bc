"""Every seeded bug fits the sources, says what it is, and names a test that exists: so none goes stale."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import seeded  # noqa: E402

SEEDS = seeded.seeds()


def test_there_are_enough_of_them():
    assert len(SEEDS) >= 15


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_a_seeded_bug_fits_and_names_its_test(seed):
    assert seed.title.endswith(".")
    assert seeded.has_test(seed), seed.test
    assert seeded.apply(seed, seeded.ROOT, "--dry-run"), "make the patch anew: the sources have moved"


def test_what_names_no_test_is_refused(tmp_path):
    bad = tmp_path / "bad.patch"
    bad.write_text("--- a/x\n+++ b/x\n")
    with pytest.raises(ValueError):
        seeded.read_seed(bad)
    bad.write_text("A bug.\nCaught-by: gate_test SettleTest.there_is_no_such_test\n")
    assert not seeded.has_test(seeded.read_seed(bad))


BEGINS = "echo '[==========] Running 1 test from 1 test suite.'"
SAYS = {  # what a test binary does, and what is made of it
    "passes": (BEGINS, seeded.Run(True)),
    "fails": (
        f"{BEGINS}; echo 'a.cpp:7: Failure'; echo 'Expected: 2'; echo '  Actual: 3'; echo; exit 1",
        seeded.Run(False, "Expected: 2 Actual: 3"),
    ),
    "crashes": (
        f"{BEGINS}; echo 'check failed' >&2; kill -ABRT $$",
        seeded.Run(False, broke="crashed (-6): check failed"),
    ),
    "is not there": (
        "echo '[==========] Running 0 tests from 0 test suites.'",
        seeded.Run(False, broke="x_test has no test S.t"),
    ),
}


@pytest.mark.parametrize("case", SAYS)
def test_only_what_a_test_itself_found_wrong_is_a_catch(tmp_path, case):
    script, made = SAYS[case]
    binary = tmp_path / "build/release/x_test"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    seed = seeded.Seed(tmp_path / "x.patch", "A bug.", "x_test", "S.t")
    assert seeded.run(seed, tmp_path) == made
