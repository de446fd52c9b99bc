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
