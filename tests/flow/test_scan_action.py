"""action.yml: its steps' shell is run as GitHub would run it, on a clean folder and on one with a key."""

import json
import os
import re
import subprocess
from pathlib import Path

import leaks
import rig

ACTION = (rig.ROOT / "action.yml").read_text()


def steps():
    """The shell steps by name: their environment and their script."""
    out = {}
    for block in re.split(r"^    - name: ", ACTION, flags=re.M)[1:]:
        name = block.splitlines()[0]
        if "shell: bash" not in block:
            continue
        section = re.search(r"^      env:\n((?:        .*\n)+)", block, flags=re.M)
        pairs = re.findall(r"^        (\w+): (.*)$", section.group(1), flags=re.M) if section else []
        script = re.search(r"^      run: (\|\n(?:(?:        .*)?\n)+|.*)", block, flags=re.M).group(1)
        out[name] = (dict(pairs), script.removeprefix("|\n").replace("\n        ", "\n").strip())
    return out


def run_action(tmp_path, inputs):
    """The exit code of the last step, and the report."""
    state, outputs = {"github.action_path": str(rig.ROOT)}, tmp_path / "outputs"
    inputs_form = r"^  (\w+):\n    description: .*\n    default: \"?(.*?)\"?$"
    defaults = dict(re.findall(inputs_form, ACTION, flags=re.M))
    state |= {f"inputs.{name}": value for name, value in (defaults | inputs).items()}
    done = None
    for env, script in steps().values():
        said = re.findall(r"^(\w+)=(.*)$", outputs.read_text() if outputs.exists() else "", flags=re.M)
        state |= {f"steps.scan.outputs.{name}": value for name, value in said}
        filled = {k: re.sub(r"\$\{\{ (.*?) \}\}", lambda m: state.get(m[1], ""), v) for k, v in env.items()}
        known = {
            "RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(outputs),
            "GITHUB_PATH": str(tmp_path / "path"),
            "PATH": f"{Path(rig.BIN).parent}:{os.environ['PATH']}",
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            env={**os.environ, **known, **filled}, capture_output=True, text=True, timeout=rig.PATIENCE,
        )  # fmt: skip
    return done.returncode, json.loads((tmp_path / "claviger.sarif").read_text())


def test_a_clean_folder_passes_and_a_key_fails_the_job(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (work / "a.py").write_text("nothing\n")
    code, report = run_action(tmp_path, {"path": str(work)})
    assert code == 0 and report["runs"][0]["results"] == []
    (work / "a b.py").write_text(f"key = '{leaks.openai_key()}'\n")
    code, report = run_action(tmp_path, {"path": str(work)})
    assert code == 1 and len(report["runs"][0]["results"]) == 1


def test_the_history_is_scanned_when_asked(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    leaks.git(work, "init", "-q")
    for text in (f"key = '{leaks.openai_key()}'\n", "nothing\n"):
        (work / "a.py").write_text(text)
        leaks.git(work, "add", ".")
        leaks.git(work, "commit", "-q", "-m", "x")
    assert run_action(tmp_path, {"path": str(work)})[0] == 0
    assert run_action(tmp_path, {"path": str(work), "history": "true"})[0] == 1


def test_what_cannot_be_scanned_fails_the_job(tmp_path):
    (tmp_path / "claviger.sarif").write_text("{}")
    code, _ = run_action(tmp_path, {"path": str(tmp_path / "none")})
    assert code >= 2
