"""claviger scan --history: what its options leave in and out, and that nothing unread passes for clean."""

import os

import pytest

import leaks


@pytest.fixture
def repository(tmp_path):
    """Three commits a year apart with a key each, the last one on its own branch; all removed at HEAD."""
    root = tmp_path / "r"
    root.mkdir()
    leaks.git(root, "init", "-q", "-b", "main")
    for year, seed in (("2023", "old"), ("2024", "new")):
        commit(root, {"a.py": f"key = '{leaks.openai_key(seed)}'\n"}, year)
    leaks.git(root, "checkout", "-q", "-b", "side")
    commit(root, {"b.py": f"key = '{leaks.anthropic_key()}'\n"}, "2025")
    leaks.git(root, "checkout", "-q", "main")
    commit(root, {"a.py": "nothing\n"}, "2026")
    return root


def commit(root, files, year):
    for name, text in files.items():
        (root / name).write_text(text)
    leaks.git(root, "add", ".")
    when = f"{year}-06-01T12:00:00+00:00"
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    leaks.git(root, "commit", "-q", "-m", year, env={**os.environ, **dates})


def secrets(root, *options, code=1):
    got, report, err = leaks.scan(root, "--history", *options)
    assert got == code, err
    return {finding["secret_sha256"] for finding in report["findings"]}


OLD, NEW = leaks.sha256(leaks.openai_key("old")), leaks.sha256(leaks.openai_key("new"))
SIDE = leaks.sha256(leaks.anthropic_key())


def test_removed_keys_are_found_with_the_commits_that_brought_and_last_had_them(repository):
    code, report, _ = leaks.scan(repository, "--history")
    assert code == 1 and {f["secret_sha256"] for f in report["findings"]} == {OLD, NEW, SIDE}
    by_secret = {f["secret_sha256"]: f for f in report["findings"]}
    assert by_secret[OLD]["date"].startswith("2023-06-01") and by_secret[OLD]["author"] == "Ada"
    assert not by_secret[OLD]["still_in_head"]
    assert by_secret[NEW]["first_commit"] == leaks.git(repository, "rev-parse", "main~1").stdout.strip()


def test_since_branch_and_range_leave_out_what_they_say(repository):
    assert secrets(repository, "--since", "2024-01-01") == {NEW, SIDE}
    assert secrets(repository, "--branch", "main") == {OLD, NEW}
    assert secrets(repository, "--branch", "main", "--branch", "side") == {OLD, NEW, SIDE}
    assert secrets(repository, "--range", "main~2..main~1") == {NEW}
    assert secrets(repository, "--range", "main~1..main", code=0) == set()


def test_a_branch_range_or_date_that_is_none_is_a_usage_error(repository):
    for options in (["--branch", "none"], ["--range", "main"], ["--range", "none..main"], ["--since", "x"]):
        code, _, err = leaks.run("scan", repository, "--history", *options)
        assert code == 2 and err, options


def test_memory_is_a_bound_that_finds_the_same(repository):
    leaks.git(repository, "gc", "-q")
    assert secrets(repository, "--memory", "8MB") == {OLD, NEW, SIDE}
    assert leaks.run("scan", repository, "--history", "--memory", "much")[0] == 2


def test_submodules_are_scanned_when_asked(repository, tmp_path):
    outer = tmp_path / "outer"
    outer.mkdir()
    leaks.git(outer, "init", "-q", "-b", "main")
    leaks.git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository), "inner")
    leaks.git(outer, "commit", "-q", "-m", "with a submodule")
    assert secrets(outer, code=0) == set()
    code, report, err = leaks.scan(outer, "--history", "--submodules")
    assert code == 1, err
    assert {f["secret_sha256"] for f in report["findings"]} >= {OLD, NEW}
    assert all(f["file"].startswith("inner/") for f in report["findings"])


def test_a_damaged_pack_is_named_and_never_passes_for_clean(repository):
    leaks.git(repository, "gc", "-q")
    (pack,) = (repository / ".git/objects/pack").glob("*.pack")
    os.chmod(pack, 0o644)
    os.truncate(pack, pack.stat().st_size // 2)
    code, report, err = leaks.scan(repository, "--history")
    assert code == 3 and report["stats"]["errors"] > 0
    assert pack.name in err


def test_a_missing_object_is_named(repository):
    blob = leaks.git(repository, "rev-parse", "main:a.py").stdout.strip()
    os.remove(repository / ".git/objects" / blob[:2] / blob[2:])
    code, _, err = leaks.scan(repository, "--history")
    assert code == 3 and blob in err


def test_reftable_is_refused_with_what_to_do(repository):
    leaks.git(repository, "config", "core.repositoryformatversion", "1")
    leaks.git(repository, "config", "extensions.refStorage", "reftable")
    code, _, err = leaks.run("scan", repository, "--history")
    assert code == 2 and "reftable" in err
