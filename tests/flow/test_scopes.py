"""Scopes at work: hours, tools, service tiers, proxies; what explain says of them, and what suggest finds."""

import datetime
import json
import shlex

import rig


def code(gate, key, extra=None, **body):
    status, _, answer = rig.ask(gate, "openai", key, extra=extra, **body)
    return "ok" if status == 200 else json.loads(answer)["error"]["code"]


def test_a_key_is_used_within_its_hours_only(fresh):
    gate, sandbox = fresh()
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    other = days[(datetime.datetime.now(datetime.timezone.utc).weekday() + 3) % 7]
    closed = gate.key("--schedule", f"{other} 10:00-11:00")
    assert code(gate, closed["key"]) == "time_denied"
    assert sandbox.received() == 0
    always = "daily 00:00-24:00 Europe/Berlin"
    opened = gate.key("--schedule", f"{other} 10:00-11:00", "--schedule", always)
    assert code(gate, opened["key"]) == "ok"
    shown = gate.cli("key", "show", "--data", gate.data, opened["id"], "--json")["scope"]["schedules"]
    assert shown == [f"{other} 10:00-11:00 UTC", "daily 00:00-24:00 Europe/Berlin"]
    asked = ["explain", "--data", gate.data, "--model", "gpt-4o-mini", "--endpoint", "chat", "--key"]
    assert gate.run(*asked, closed["id"])[0] == 1
    bad = ["--name", "x", "--project", "p", "--environment", "dev", "--schedule", "someday 10:00-11:00"]
    assert gate.run("key", "create", "--data", gate.data, *bad)[0] != 0


def test_tools_and_tiers_out_of_scope_are_refused(fresh):
    gate, sandbox = fresh()
    key = gate.key("--tool", "function:look*", "--max-tier", "standard")["key"]

    def function(name):
        return {"tools": [{"type": "function", "function": {"name": name, "parameters": {}}}]}

    assert code(gate, key, **function("act")) == "capability_denied"
    assert code(gate, key, tools=[{"type": "web_search"}]) == "capability_denied"
    assert code(gate, key, service_tier="priority") == "capability_denied"
    assert sandbox.received() == 0
    assert code(gate, key, **function("look_up")) == "ok"
    assert code(gate, key, service_tier="default") == "ok"


def test_only_a_trusted_proxy_is_believed_and_no_forged_front(fresh):
    gate, sandbox = fresh(config='[server]\ntrusted_proxies = ["127.0.0.0/8"]\n')
    key = gate.key("--cidr", "192.0.2.0/24")["key"]
    denied = [
        {},
        {"x-forwarded-for": "198.51.100.1"},
        {"x-forwarded-for": "192.0.2.7, 198.51.100.1"},
        {"x-forwarded-for": "192.0.2.7, 198.51.100.1, 127.0.0.9"},
        {"forwarded": "for=192.0.2.7, for=198.51.100.1"},
    ]
    for extra in denied:
        assert code(gate, key, extra=extra) == "network_denied", extra
    two = {"x-forwarded-for": "192.0.2.7", "forwarded": "for=198.51.100.1"}
    for extra in ({"x-forwarded-for": "unknown"}, two):
        assert code(gate, key, extra=extra) == "malformed_request", extra
    assert sandbox.received() == 0
    one = {"x-forwarded-for": "203.0.113.1, 192.0.2.7"}
    for extra in (one, {"forwarded": 'for="192.0.2.7:4711";proto=https'}):
        assert code(gate, key, extra=extra) == "ok", extra
    rig.until(lambda: [r["ip"] for r in gate.journal() if r["t"] == "receipt"] == ["192.0.2.7"] * 2)


def test_without_trusted_proxies_the_peer_counts(fresh):
    gate, sandbox = fresh()
    key = gate.key("--cidr", "192.0.2.0/24")["key"]
    assert code(gate, key, extra={"x-forwarded-for": "192.0.2.7"}) == "network_denied"
    assert sandbox.received() == 0


def test_explain_tells_every_rule_budgets_and_rates(fresh):
    gate, sandbox = fresh()
    parent = gate.key("--budget", "0usd/day", "--rpm", "7")
    child = gate.cli("key", "create", "--data", gate.data, "--parent", parent["id"], "--name", "c", "--json")
    question = {"key": child["id"], "model": "gpt-4o-mini", "endpoint": "chat"}
    status, said, _ = rig.get(gate.admin + "/api/v1/explain", gate.owner_token(), "POST", question)
    assert status == 200 and said["allowed"] is False and said["change"]
    denied = [rule for rule in said["rules"] if rule["verdict"] == "deny"]
    assert [rule["rule"] for rule in denied] == ["budgets and limits", "budget"]
    assert f"key:{parent['id']}" in denied[1]["why"]
    assert {"keys.above", "limits.rpm", "price", "scope.tools"} <= {rule["rule"] for rule in said["rules"]}
    assert sandbox.received() == 0
    gate.cli("key", "freeze", "--data", gate.data, parent["id"])
    status, said, _ = rig.get(gate.admin + "/api/v1/explain", gate.owner_token(), "POST", question)
    assert said["rule"] == "keys.above" and parent["id"] in said["why"]


def test_suggest_draws_a_narrower_key_from_what_was_used(fresh):
    gate, _ = fresh()
    key = gate.key("--model", "gpt-*", "--budget", "50usd/day", name="it's a bot")
    unused = gate.cli("key", "suggest", "--data", gate.data, key["id"], "--json")
    assert unused["requests"] == 0 and unused["last_used"] is None and "revoke" in unused["command"]
    for _ in range(3):
        assert code(gate, key["key"]) == "ok"
    rig.until(lambda: gate.settled() > 0)
    said = gate.cli("key", "suggest", "--data", gate.data, key["id"], "--json")
    found = {one["field"]: one for one in said["findings"]}
    assert said["requests"] == 3
    assert found["models"]["suggested"] == ["gpt-4o-mini"]
    assert found["endpoints"]["suggested"] == ["chat"]
    assert found["cidrs"]["suggested"] == ["127.0.0.1/32"]
    assert found["budgets"]["allowed"] == "50.00usd/day" and found["budgets"]["suggested"] == "0.01usd/day"
    assert found["expires"]["suggested"] == "90d"
    command = shlex.split(said["command"])
    made = gate.cli(*command[1:], "--json")
    assert made["scope"]["models"] == ["gpt-4o-mini"] and made["name"] == "it's a bot"
    assert code(gate, made["key"]) == "ok"
    assert code(gate, made["key"], model="gpt-4o") == "model_denied"
