"""Git hooks: real commits and pushes are refused, other hooks are kept, and nothing passes unread."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import leaks
import rig

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """git's global configuration and ours belong to the test."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "home/.gitconfig"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (tmp_path / "home").mkdir()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repo"
    folder.mkdir()
    leaks.git(folder, "init", "-q", "-b", "main")
    return folder


def commit(folder, name, text, *options):
    (folder / name).write_text(text)
    leaks.git(folder, "add", name)
    return leaks.git(folder, "commit", "-qm", name, *options, check=False)


def install(folder, *options):
    code, out, err = leaks.run("hook", "install", *options, cwd=folder)
    assert code == 0, out + err
    return out


def test_a_commit_with_a_key_is_refused_and_one_without_passes(repository):
    assert "refused a planted key" in install(repository)
    clean = commit(repository, "clean", "nothing\n")
    assert clean.returncode == 0 and "1 file and 8 bytes scanned" in clean.stderr
    key = leaks.openai_key()
    leak = commit(repository, "leak", f"key = '{key}'\n")
    said = leak.stdout + leak.stderr
    assert leak.returncode != 0 and key not in said and "leak:1:8" in said
    assert leaks.git(repository, "rev-list", "--count", "HEAD").stdout.strip() == "1"


def test_what_is_staged_counts_and_not_the_work_tree(repository):
    install(repository)
    (repository / "a").write_text(f"{leaks.openai_key()}\n")
    leaks.git(repository, "add", "a")
    (repository / "a").write_text("clean again\n")
    assert leaks.git(repository, "commit", "-qm", "a", check=False).returncode != 0
    leaks.git(repository, "add", "a")
    (repository / "a").write_text(f"{leaks.openai_key()}\n")
    assert leaks.git(repository, "commit", "-qm", "a", check=False).returncode == 0
    assert leaks.git(repository, "commit", "-qam", "all", check=False).returncode != 0  # its own index file
    assert leaks.git(repository, "commit", "-qm", "one", "a", check=False).returncode != 0


def test_the_hook_that_was_there_runs_first_and_comes_back(repository):
    hook = repository / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho before >> ran\n[ ! -f stop ]\n")
    hook.chmod(0o755)
    install(repository)
    install(repository)  # again: the same
    assert commit(repository, "a", "x\n").returncode == 0
    assert (repository / "ran").read_text() == "before\n"
    assert commit(repository, "stop", "x\n").returncode != 0  # its refusal counts
    (repository / "stop").unlink()
    assert commit(repository, "b", leaks.openai_key()).returncode != 0
    assert leaks.run("hook", "uninstall", cwd=repository)[0] == 0
    assert hook.read_text().startswith("#!/bin/sh\necho before")
    assert leaks.run("hook", "status", cwd=repository)[0] == 1


def test_worktrees_and_hooks_paths_are_found(repository, tmp_path):
    commit(repository, "a", "x\n")
    leaks.git(repository, "worktree", "add", "-q", tmp_path / "tree")
    install(tmp_path / "tree")
    assert leaks.run("hook", "status", cwd=repository)[0] == 0
    assert commit(tmp_path / "tree", "b", leaks.openai_key()).returncode != 0
    leaks.git(repository, "config", "core.hooksPath", "my hooks")
    install(repository)
    assert (repository / "my hooks/pre-commit").exists()
    assert commit(repository, "c", leaks.openai_key()).returncode != 0


def test_a_hook_whose_program_has_gone_refuses(repository, tmp_path):
    program = tmp_path / "claviger"
    shutil.copy2(rig.BIN, program)
    done = subprocess.run(
        [program, "hook", "install"], cwd=repository, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    program.unlink()
    assert commit(repository, "a", "nothing\n").returncode != 0


def test_a_broken_index_or_ignore_file_refuses(repository):
    install(repository)
    (repository / ".claviger-ignore").write_text("nonsense\n")
    assert commit(repository, "a", "x\n").returncode != 0
    (repository / ".claviger-ignore").unlink()
    assert commit(repository, "a", "x\n").returncode == 0
    index = repository / ".git/index"
    index.write_bytes(index.read_bytes()[:40])
    assert leaks.run("scan", "--staged", cwd=repository)[0] == 3


def test_a_staged_file_that_cannot_be_read_is_no_pass(repository):
    (repository / "a").write_text("some text\n")
    leaks.git(repository, "add", "a")
    blob = leaks.git(repository, "rev-parse", ":a").stdout.strip()
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    code, _, err = leaks.run("scan", "--staged", cwd=repository)
    assert code == 3 and "not scanned: a" in err


def test_nothing_staged_passes_and_says_so(repository):
    code, _, err = leaks.run("scan", "--staged", cwd=repository)
    assert code == 0 and "nothing is staged" in err


def test_a_push_of_a_key_is_refused(repository, tmp_path):
    leaks.git(tmp_path, "init", "-q", "--bare", "remote.git")
    leaks.git(repository, "remote", "add", "origin", tmp_path / "remote.git")
    install(repository, "--type", "pre-push")
    commit(repository, "a", "x\n")
    assert leaks.git(repository, "push", "-q", "origin", "main", check=False).returncode == 0
    commit(repository, "leak", f"{leaks.openai_key()}\n")
    commit(repository, "leak", "gone again\n")
    pushed = leaks.git(repository, "push", "-q", "origin", "main", check=False)
    assert pushed.returncode != 0 and "1 finding" in pushed.stderr
    assert leaks.git(repository, "push", "-q", "origin", "main:new", check=False).returncode != 0
    assert leaks.git(repository, "push", "-q", "origin", "HEAD~2:refs/heads/old", check=False).returncode == 0
    assert leaks.git(repository, "push", "-q", "origin", ":old", check=False).returncode == 0


def test_a_global_hook_covers_every_repository_and_passes_on(repository):
    hook = repository / ".git/hooks/commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho message >> ran\n")
    hook.chmod(0o755)
    install(repository, "--global")
    assert commit(repository, "a", "x\n").returncode == 0 and (repository / "ran").exists()
    assert commit(repository, "b", leaks.openai_key()).returncode != 0
    assert leaks.run("hook", "status", "--global", cwd=repository)[0] == 0
    assert leaks.run("hook", "uninstall", "--global", cwd=repository)[0] == 0
    assert leaks.git(repository, "config", "--global", "core.hooksPath", check=False).stdout == ""
    assert commit(repository, "b", leaks.openai_key()).returncode == 0


def test_outside_of_a_repository_nothing_is_installed(tmp_path):
    code, _, err = leaks.run("hook", "install", cwd=tmp_path / "home")
    assert code == 3 and err


def test_the_real_pre_commit_runs_it(repository, tmp_path):
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    leaks.git(hooks, "init", "-q", "-b", "main")
    leaks.git(hooks, "add", "-A")
    leaks.git(hooks, "commit", "-qm", "hooks")
    revision = leaks.git(hooks, "rev-parse", "HEAD").stdout.strip()
    (repository / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {hooks}\n  rev: {revision}\n  hooks:\n  - id: claviger\n"
    )
    path = f"{Path(rig.BIN).resolve().parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PRE_COMMIT_HOME": str(tmp_path / "cache")}

    def pre_commit(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", *arguments], cwd=repository, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    leaks.git(repository, "add", "-A")
    clean = pre_commit("run", "--verbose")
    assert clean.returncode == 0 and "1 file and" in clean.stdout, clean.stdout + clean.stderr
    (repository / "leak").write_text(f"key = '{leaks.openai_key()}'\n")
    leaks.git(repository, "add", "-A")
    leak = pre_commit("run")
    assert leak.returncode == 1 and "leak:1:8" in leak.stdout, leak.stdout + leak.stderr
    leaks.git(repository, "commit", "-qm", "in it goes", "--no-verify")
    whole = pre_commit("run", "--all-files")
    assert whole.returncode == 1 and "leak:1:8" in whole.stdout, whole.stdout + whole.stderr
