"""A provider's key leaks: from the report over containment and rotation to its death at the provider, and
what the provider itself says of its use."""

import json
import subprocess

import rig
from test_child_keys import child_of
from test_rotation import QUICK, Load, house, sha256  # noqa: F401

HOLD = QUICK.replace('keep_old = "1s"', 'keep_old = "1h"')


def report(it, secret, **more):
    """By the command that an operator has."""
    words = [word for name, value in more.items() for word in (f"--{name.replace('_', '-')}", value)]
    return it.cli("leak report", "--sha256", sha256(secret), "--source", "a paste", *words)


def incident(it, leak):
    return it.cli("incident show", leak["incidents"][0]["id"])


def reach(it, leak, state):
    return rig.until(lambda: (lambda now: now["state"] == state and now)(incident(it, leak)), step=0.1)


def past_the_gate(it, calls):
    """Whoever holds the provider's key asks the provider, and the gate sees nothing of it."""
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "for me"}], "max_tokens": 7}
    for _ in range(calls):
        status, _, _ = rig.get(it.sandbox.url + "/v1/chat/completions", it.old, "POST", body)
        assert status == 200


def reports(it, leak):
    words = ("incident", "report", "--data", it.gate.data, leak["incidents"][0]["id"])
    return {form: it.gate.cli(*words, "--format", form) for form in ("markdown", "html", "csv", "json")}


def test_a_key_that_must_carry_on_is_replaced_without_a_failed_call_and_then_dead(house):
    it = house(config=HOLD)
    past_the_gate(it, 5)
    with Load(it.gate, it.key, clients=4) as load:
        leak = report(it, it.old, place="https://paste.example/1", first_exposed="2026-01-01T00:00:00Z")
        assert leak["incidents"][0]["state"] == "detected"
        shown = reach(it, leak, "replaced")
    assert load.failed == []
    assert shown["containment"] == "rotated" and shown["opens"] is False
    rotation = it.show({"id": shown["rotation"]})
    assert (rotation["mode"], rotation["state"]) == ("now", "done"), rotation
    assert [key["id"] for key in it.live()] == [rotation["new_key"]]
    assert rig.get(it.sandbox.url + "/v1/models", it.old)[0] == 401
    states = [shown[state] for state in ("detected", "contained", "accounted", "replaced")]
    assert states == sorted(states) and shown["replace_ms"] >= shown["contain_ms"] >= 0

    def told():
        use = (incident(it, leak)["accounting"].get("provider") or {}).get("use")
        # What was on its way when it was counted first is in one of the counts only, until it is replaced.
        return use and use["past_the_gate"]["calls"] == 5 and use

    use = rig.until(told, step=0.2)
    assert use["gate"]["calls"] > 0, use
    assert use["provider"]["calls"] == use["gate"]["calls"] + 5, use
    cost = incident(it, leak)["accounting"]["provider"]["cost"]
    assert cost["past_the_gate_nanousd"] > 0, cost
    written = reports(it, leak)
    assert "5 of them did not pass the gate" in written["markdown"]
    assert "At the provider" in written["html"] and "past the gate" in written["csv"]
    everything = json.dumps(written) + it.gate.process.text() + "".join(it.gate.outputs)
    assert it.old not in everything and "sk-svcacct-" not in everything


def test_a_key_that_is_revoked_first_is_shut_out_ended_and_comes_back_with_its_new_secret(house):
    it = house(config=QUICK + '[incident]\ncontain = "revoke_first"\n')
    assert it.asks() == 200
    leak = report(it, it.old)
    assert leak["incidents"][0]["state"] == "contained"
    assert incident(it, leak)["containment"] == "withdrawn"
    shown = reach(it, leak, "replaced")
    rotation = it.show({"id": shown["rotation"]})
    assert rotation["mode"] == "emergency" and rotation["revoked"] <= rotation["promoted"], rotation
    assert [key["id"] for key in it.live()] == [rotation["new_key"]]
    assert it.cli("credential show", "main")["state"] == "enabled" and it.asks() == 200
    assert "revoke" in json.dumps(rotation["steps"])
    it.cli("incident close", leak["incidents"][0]["id"], "--resolution", "rotated")


def test_a_leak_of_a_key_that_is_being_replaced_ends_it_now(house):
    it = house(config=HOLD)
    assert it.asks() == 200
    begun = it.rotate()
    it.reaches(begun, "draining")
    leak = report(it, it.old)
    assert incident(it, leak)["containment"] == "opened_nothing"
    shown = reach(it, leak, "replaced")
    assert shown["rotation"] == begun["id"]
    assert it.show(begun)["mode"] == "now" and len(it.live()) == 1


def test_a_leak_of_the_key_that_a_rotation_has_just_put_into_use_does_not_wait_for_its_end(house):
    it = house(config=HOLD)
    with Load(it.gate, it.key, clients=4) as load:
        begun = it.rotate()
        it.reaches(begun, "draining")
        [fresh] = [key for key in it.live() if key["secret_sha256"] != sha256(it.old)]
        leak = it.cli("leak report", "--sha256", fresh["secret_sha256"], "--source", "a paste")
        shown = reach(it, leak, "replaced")
    assert load.failed == []
    assert shown["rotation"] != begun["id"] and shown["containment"] == "rotated", shown
    it.reaches(begun, "done")
    [live] = it.live()
    assert live["id"] == it.show({"id": shown["rotation"]})["new_key"] != fresh["id"]


def test_a_leaked_version_that_only_the_provider_knows_is_left_to_people_who_are_told(house):
    it = house(linked=False)
    it.cli("credential update", "main", "--secret-stdin", stdin=rig.provider_key("openai", "next"))
    leak = report(it, it.old)
    shown = rig.until(lambda: (lambda now: now["rotation_problem"] and now)(incident(it, leak)), step=0.1)
    assert "not in use any more" in shown["rotation_problem"] and shown["state"] != "replaced"


def by_hand(it, rotation, tag):
    """What a person does for Anthropic's key: makes it and hands it in; its secret."""
    waiting = it.reaches(rotation, "waiting")
    name = next(line for line in waiting["instructions"] if line.startswith("Name")).split()[-1].rstrip(".")
    secret = rig.provider_key("anthropic", tag)
    body = {"provider": "anthropic", "name": name, "secret": secret}
    assert rig.get(it.sandbox.url + "/_sandbox/console", method="POST", body=body)[0] == 200
    it.cli("rotation intake", rotation["id"], "--secret-stdin", stdin=secret)
    return secret


def test_a_credential_does_not_come_back_while_its_new_secret_has_leaked_too(house):
    it = house(provider="anthropic", params=[])
    assert rig.ask(it.gate, "anthropic", it.key)[0] == 200
    it.manners(disable_delay_ms=4000)
    first = report(it, it.old)
    [begun] = rig.until(lambda: it.cli("rotation list")["rotations"])
    assert begun["mode"] == "now"
    it.cli("incident contain", first["incidents"][0]["id"])
    second_secret = by_hand(it, begun, "second")
    it.reaches(begun, "confirming", "revoking")
    second = report(it, second_secret)
    it.reaches(begun, "done")
    rig.until(lambda: len(it.cli("rotation list")["rotations"]) == 2, step=0.1)
    assert incident(it, first)["state"] == "accounted"
    assert it.cli("credential show", "main")["state"] == "disabled"
    again = next(one for one in it.cli("rotation list")["rotations"] if one["id"] != begun["id"])
    by_hand(it, again, "third")
    reach(it, second, "replaced")
    reach(it, first, "replaced")
    assert it.cli("credential show", "main")["state"] == "enabled"
    assert rig.ask(it.gate, "anthropic", it.key)[0] == 200


def test_a_leaked_key_that_a_person_has_made_is_dead_when_the_provider_refuses_it(house):
    it = house(provider="groq", linked=False)
    begun = it.rotate("--now")
    it.reaches(begun, "waiting")
    secret = rig.provider_key("groq", "new")
    it.cli("rotation intake", begun["id"], "--secret-stdin", stdin=secret)
    leak = report(it, secret)
    shown = rig.until(lambda: (lambda now: now["rotation_problem"] and now)(incident(it, leak)), step=0.1)
    assert "delete it there" in shown["rotation_problem"] and shown["state"] != "replaced"
    rotation = rig.until(lambda: (lambda now: now["left"][0]["accepted"] and now)(it.show(begun)), step=0.1)
    assert rotation["state"] == "failed" and "Delete the new key" in rotation["trouble"]
    assert f"claviger rotation ended {begun['id']}" in rotation["instructions"][-1]
    reach(it, leak, "accounted")
    it.gate.process.kill()
    it.gate.start()
    it.sandbox.revoke(secret)
    it.cli("rotation ended", begun["id"])
    assert reach(it, leak, "replaced")["rotation_problem"] is None
    rotation = it.show(begun)
    assert rotation["left"] == [] and rotation["instructions"] == []
    assert "Delete" not in (rotation["trouble"] or "")
    code, out, err = it.gate.run("rotation", "ended", "--data", it.gate.data, begun["id"])
    assert code == 1 and "has left no key behind" in out + err, (code, out, err)


def test_keys_that_were_made_below_a_dead_token_while_it_was_exposed_are_frozen(fresh):
    gate, _ = fresh()
    parent = gate.key()
    before = child_of(gate, parent["key"])
    exposed = gate.cli("key", "show", "--data", gate.data, before["id"], "--json")["created"]
    made = child_of(gate, parent["key"])
    new = gate.cli("key", "rotate", "--data", gate.data, parent["id"], "--json")
    body = {"sha256": [sha256(parent["key"])], "source": "a test", "first_exposed": exposed}
    [leak] = gate.socket_request("POST", "/api/v1/leaks", body)["incidents"]
    shown = gate.cli("incident", "show", "--data", gate.data, leak["id"], "--json")
    assert shown["containment"] == "opened_nothing"
    assert rig.ask(gate, "openai", made["key"])[0] == 401
    assert rig.ask(gate, "openai", new["key"])[0] == 200
    gate.cli("key", "unfreeze", "--data", gate.data, made["id"])
    assert rig.ask(gate, "openai", made["key"])[0] == 200


def test_waiting_for_a_rotation_survives_a_restart_of_the_server(house):
    it = house()
    assert it.asks() == 200
    command = [rig.BIN, "rotate", "--data", str(it.gate.data), "main", "--now", "--wait", "--json"]
    waiting = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    rig.until(lambda: it.cli("rotation list")["rotations"])
    it.gate.process.kill()
    it.gate.start()
    out, err = waiting.communicate(timeout=rig.PATIENCE)
    assert waiting.returncode == 0 and json.loads(out)["state"] == "done", out + err
