"""Reports that other programs read: each passes its format's own validator and holds no secret."""

import csv
import io
import json
import os
import subprocess
import xml.etree.ElementTree as tree
from pathlib import Path

import jsonschema
import pytest

import leaks

MODULES = Path(__file__).resolve().parent / "node_modules"
SCHEMA = MODULES / "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
MULTITOOL = MODULES / "@microsoft/sarif-multitool-linux/Sarif.Multitool"


@pytest.fixture
def leaky(tmp_path):
    """A tree with three findings of two secrets, in files with awkward names."""
    for name, key in (("plain.py", leaks.openai_key()), ("sp ace/ü <&>\".txt", leaks.openai_key()),
                      ("=cmd", leaks.anthropic_key())):  # fmt: skip
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# x\nkey = '{key}'\n")
    return tmp_path / "tree"


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def report(path, format, *options):
    code, out, err = leaks.run("scan", path, "--format", format, *options)
    for key in (leaks.openai_key(), leaks.anthropic_key()):
        assert key not in out + err, format
        assert leaks.sha256(key) not in out or format in ("json", "jsonl", "csv")
    return code, out


def test_sarif_passes_the_oasis_schema_and_the_multitool(leaky, tmp_path):
    code, out = report(leaky, "sarif")
    log = json.loads(out)
    assert code == 1
    jsonschema.validate(log, json.loads(SCHEMA.read_text()))
    run = log["runs"][0]
    assert len(run["results"]) == 3 and len(run["tool"]["driver"]["rules"]) == 2
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["partialFingerprints"]["secretHash/v1"]
    (tmp_path / "log.sarif").write_text(out)
    os.chmod(MULTITOOL, 0o755)
    done = subprocess.run(
        [MULTITOOL, "validate", tmp_path / "log.sarif"], capture_output=True, text=True,
        env=os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and " error " not in done.stdout, done.stdout


def test_an_empty_sarif_report_is_valid_too(tmp_path):
    code, out = report(tmp_path, "sarif")
    assert code == 0
    jsonschema.validate(json.loads(out), json.loads(SCHEMA.read_text()))
    assert json.loads(out)["runs"][0]["results"] == []


def test_fingerprints_are_keyed_and_stay(leaky):
    def prints():
        return [r["partialFingerprints"]["secretHash/v1"]
                for r in json.loads(report(leaky, "sarif")[1])["runs"][0]["results"]]  # fmt: skip

    first = prints()
    assert len(set(first)) == 3 and prints() == first
    assert not any(mark in leaks.sha256(leaks.openai_key()) for mark in first)
    os.remove(Path(os.environ["XDG_STATE_HOME"]) / "claviger/fingerprint.key")
    assert set(prints()).isdisjoint(first)


def test_gitlab_has_what_its_schema_asks(leaky):
    code, out = report(leaky, "gitlab")
    log = json.loads(out)
    assert code == 1 and log["scan"]["type"] == "secret_detection" and log["scan"]["status"] == "success"
    assert {"analyzer", "scanner", "start_time", "end_time"} <= set(log["scan"])
    assert len(log["scan"]["start_time"]) == 19
    ids = {vulnerability["id"] for vulnerability in log["vulnerabilities"]}
    assert len(ids) == 3
    for vulnerability in log["vulnerabilities"]:
        assert vulnerability["severity"] in ("Low", "Medium", "High", "Critical")
        assert vulnerability["identifiers"][0]["value"]
        assert {"file", "start_line", "end_line", "commit"} <= set(vulnerability["location"])


def test_junit_is_xml_with_a_failure_each(leaky, tmp_path):
    code, out = report(leaky, "junit")
    suite = tree.fromstring(out).find("testsuite")
    assert code == 1 and suite.get("failures") == "3" and len(suite.findall("testcase/failure")) == 3
    (tmp_path / "clean").mkdir()
    suite = tree.fromstring(report(tmp_path / "clean", "junit")[1]).find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")


def test_csv_has_a_row_each_and_computes_nothing(leaky):
    code, out = report(leaky, "csv")
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert code == 1 and len(rows) == 3
    assert {row["file"] for row in rows} == {"plain.py", "sp ace/ü <&>\".txt", "'=cmd"}
    assert {row["secret_sha256"] for row in rows} == {
        leaks.sha256(leaks.openai_key()), leaks.sha256(leaks.anthropic_key())
    }  # fmt: skip


def test_jsonl_has_the_findings_of_json(leaky):
    _, lines = report(leaky, "jsonl")
    _, whole = report(leaky, "json")
    assert [json.loads(line) for line in lines.splitlines()] == json.loads(whole)["findings"]


def test_output_goes_to_a_file_and_a_full_disk_is_no_success(leaky, tmp_path):
    path = tmp_path / "report.json"
    code, out, err = leaks.run("scan", leaky, "--format", "json", "--output", path)
    assert (code, out) == (1, "") and len(json.loads(path.read_text())["findings"]) == 3
    assert "3 findings" in err
    assert leaks.run("scan", leaky, "--output", tmp_path / "no/such/folder")[0] == 3
    with open("/dev/full", "w") as full:
        command = [leaks.rig.BIN, "scan", leaky]
        done = subprocess.run(command, stdout=full, stderr=subprocess.DEVNULL, check=False)
    assert done.returncode == 3


def test_what_could_not_be_scanned_stands_in_every_report(tmp_path):
    (tmp_path / "cut.zip").write_bytes(b"PK\3\4 and nothing more")
    for format in ("sarif", "gitlab", "junit"):
        code, out = report(tmp_path, format, "--archives")
        assert code == 3 and "cut.zip" in out, format
