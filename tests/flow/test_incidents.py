"""Incidents: the whole way of a leak, through crashes, into a report; and the drill."""

import hashlib
import json
import re
import signal

import pytest

import rig


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def show(gate, incident):
    return gate.cli("incident", "show", "--data", gate.data, incident, "--json")


def reach(gate, incident, state):
    return rig.until(lambda: (shown := show(gate, incident))["state"] == state and shown)


def leak(gate, secret, **more):
    body = {"sha256": [sha256(secret)], "source": "a test"} | more
    return gate.socket_request("POST", "/api/v1/leaks", body)["incidents"][0]["id"]


def test_what_was_done_with_a_leaked_key_is_in_its_report(fresh, tmp_path):
    gate, sandbox = fresh()
    key, other = gate.key("--team", "core"), gate.key()
    for _ in range(3):
        assert rig.ask(gate, "openai", key["key"], extra={"user-agent": "thief/1"})[0] == 200
    assert rig.ask(gate, "anthropic", key["key"])[0] == 200
    assert rig.ask(gate, "openai", other["key"])[0] == 200
    spent = gate.usage()[key["id"]]["cost_nanousd"]
    incident = leak(gate, key["key"], first_exposed="2026-01-01T00:00:00Z")
    assert rig.ask(gate, "openai", key["key"])[0] == 401
    shown = reach(gate, incident, "accounted")
    account = shown["accounting"]
    assert (account["calls"], account["cost_nanousd"]) == (4, spent) and spent > 0
    calls = {row["name"].split("/")[0]: row["calls"] for row in account["models"]}
    assert calls == {"openai": 3, "anthropic": 1}
    assert {row["name"]: row["calls"] for row in account["agents"]}["thief/1"] == 3
    assert [row["name"] for row in account["addresses"]] == ["127.0.0.1"]
    stamps = [shown[state] for state in ("first_exposed", "detected", "contained", "accounted")]
    assert stamps == sorted(stamps)
    lines = {(r["p"], r["e"], r["n"]): r for r in gate.journal()}
    for event in shown["timeline"]:
        producer, epoch, seq = event["journal"].split("/")
        assert lines[(producer, int(epoch), int(seq))]["t"] == "admin", event
    report = gate.cli("incident", "report", "--data", gate.data, incident, "--json")
    assert re.fullmatch("[0-9a-f]{64}", report["report"]["accounting_sha256"])
    html = gate.cli("incident", "report", "--data", gate.data, incident, "--format", "html")
    assert "<svg" in html and "<script" not in html and "http://" not in html and "https://" not in html
    csv = gate.cli("incident", "report", "--data", gate.data, incident, "--format", "csv")
    assert "thief/1" in csv
    for text in (html, csv, json.dumps(report)):
        assert key["key"] not in text and sha256(key["key"]) not in text


def test_a_replaced_key_ends_its_incident(fresh):
    gate, _ = fresh()
    key = gate.key()
    incident = leak(gate, key["key"])
    reach(gate, incident, "accounted")
    new = gate.cli("key", "rotate", "--data", gate.data, key["id"], "--json")
    reach(gate, incident, "replaced")
    gate.cli("key", "unfreeze", "--data", gate.data, key["id"])
    assert rig.ask(gate, "openai", new["key"])[0] == 200 and rig.ask(gate, "openai", key["key"])[0] == 401
    closed = gate.cli("incident", "close", "--data", gate.data, incident, "--resolution", "rotated", "--json")
    assert closed["state"] == "closed" and closed["closed_by"].startswith("socket:")
    assert gate.run("incident", "close", "--data", gate.data, incident, "--resolution", "x")[0] == 1


def test_an_incident_goes_on_after_kill_9_in_each_state(fresh):
    gate, _ = fresh()
    key = gate.key()
    assert rig.ask(gate, "openai", key["key"])[0] == 200
    incident = leak(gate, key["key"])

    def again():
        gate.process.kill()
        gate.start()

    again()  # contained, the figures not read
    assert rig.ask(gate, "openai", key["key"])[0] == 401
    reach(gate, incident, "accounted")
    again()
    gate.cli("key", "rotate", "--data", gate.data, key["id"], "--json")
    again()
    shown = reach(gate, incident, "replaced")
    again()
    assert show(gate, incident)["state"] == "replaced"
    assert [event["what"] for event in shown["timeline"]].count("key.freeze") == 1
    gate.cli("incident", "close", "--data", gate.data, incident, "--resolution", "done")


@pytest.mark.parametrize("delay", [0, 0.002, 0.005, 0.02])
def test_a_report_that_was_cut_off_by_kill_9_is_taken_or_not_and_never_half(fresh, delay):
    gate, _ = fresh()
    key = gate.key()
    body = json.dumps({"sha256": [sha256(key["key"])]}).encode()
    import socket
    import time

    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(gate.data / "claviger.sock"))
        head = "POST /api/v1/leaks HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        sock.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        time.sleep(delay)
        gate.process.popen.send_signal(signal.SIGKILL)
    gate.process.kill()
    gate.start()
    incidents = gate.cli("incident", "list", "--data", gate.data, "--json")["incidents"]
    if incidents:
        rig.until(lambda: show(gate, incidents[0]["id"])["state"] in ("contained", "accounted"))
        assert rig.ask(gate, "openai", key["key"])[0] == 401
    else:
        assert rig.ask(gate, "openai", key["key"])[0] == 200
    incident = leak(gate, key["key"])
    assert not incidents or incident == incidents[0]["id"]
    assert rig.ask(gate, "openai", key["key"])[0] == 401


def test_a_drill_measures_and_leaves_nothing_behind(fresh):
    gate, sandbox = fresh()
    before = sandbox.received()
    code, out, err = gate.run("incident", "drill", "--data", gate.data, "--json")
    assert code in (0, 1), err  # a goal may be missed on a busy machine
    done = json.loads(out)
    assert [step["name"] for step in done["steps"]] == [
        "report to containment", "report to refused call", "containment to figures", "containment to report",
    ]  # fmt: skip
    assert sandbox.received() == before
    shown = show(gate, done["incident"])
    assert shown["drill"] is True and shown["state"] == "closed"
    keys = gate.cli("key", "list", "--data", gate.data, "--json")["keys"]
    assert {key["state"] for key in keys if key["name"] == "drill"} == {"revoked"}


def test_a_drill_with_a_spare_credential_gives_it_back(fresh):
    gate, sandbox = fresh()
    gate.credential("spare", "openai", sandbox.url, rig.provider_key("openai", "spare"), "drills")
    code, out, err = gate.run("incident", "drill", "--data", gate.data, "--credential", "spare", "--json")
    assert code in (0, 1), err
    assert "credential withdrawn" in [step["name"] for step in json.loads(out)["steps"]]
    assert gate.cli("credential", "show", "--data", gate.data, "spare", "--json")["state"] == "enabled"
    assert gate.cli("incident", "list", "--data", gate.data, "--state", "open", "--json")["incidents"] == []


def test_a_watched_repository_and_a_watched_folder_are_scanned_as_they_change(fresh, tmp_path):
    import subprocess

    repository, logs = tmp_path / "repo", tmp_path / "logs"
    logs.mkdir()

    def git(*arguments):
        subprocess.run(
            ["git", "-C", repository, "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
            check=True, capture_output=True,
        )  # fmt: skip

    subprocess.run(["git", "init", "-q", "-b", "main", repository], check=True)
    (repository / "a").write_text("nothing\n")
    git("add", "a")
    git("commit", "-q", "-m", "first")
    (logs / "build.log").write_text("begin\n")
    watches = f'[[watch]]\nrepository = "{repository}"\n[[watch]]\nname = "logs"\nfolder = "{logs}"\n'
    gate, _ = fresh(config=watches)
    committed, logged = gate.key(), gate.key()
    rig.until(lambda: len(list((gate.data / "watch").glob("*"))) == 2)
    (repository / "settings.py").write_text(f"KEY = '{committed['key']}'\n")
    git("add", "settings.py")
    git("commit", "-q", "-m", "leak")
    with open(logs / "build.log", "a") as log:
        log.write(f"export CLAVIGER_KEY={logged['key']}\n")
    subjects = {f"key:{committed['id']}", f"key:{logged['id']}"}

    def found():
        listed = gate.cli("incident", "list", "--data", gate.data, "--json")["incidents"]
        return {one["subject"] for one in listed} == subjects

    rig.until(found)
    for key in (committed, logged):
        assert rig.ask(gate, "openai", key["key"])[0] == 401
