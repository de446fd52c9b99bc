"""Keys below keys: an agent narrows what it has, never widens it, and falls with those above it."""

import asyncio
import json
import time

import pytest

import rig
from test_life import cut_after, long_stream


def petition(gate, key, method="POST", path="", body=None, extra=None):
    """What /claviger/v1/keys answers to a key: (status, headers, JSON)."""
    data = b"" if body is None else json.dumps(body).encode()
    headers = rig.auth("openai", key) | {"content-type": "application/json"} | (extra or {})
    raw = rig.request_bytes(method, "/claviger/v1/keys" + path, headers, data)
    status, headers, answer = rig.parse_answer(asyncio.run(rig.exchange(gate.port, raw)), method)
    return status, headers, json.loads(answer)


def child_of(gate, key, **fields):
    status, _, body = petition(gate, key, body={"name": "child"} | fields)
    assert status == 201, body
    return body


def code_of(answer):
    return answer[0], answer[2]["error"]["code"]


def test_a_child_has_what_its_parent_has_where_nothing_is_said(fresh):
    gate, sandbox = fresh()
    parent = gate.key(
        "--model", "gpt-4o*", "--endpoint", "chat", "--rpm", "50", "--team", "red", "--expires", "1h"
    )  # fmt: skip
    child = child_of(gate, parent["key"])
    assert child["parent"] == parent["id"] and child["key"].startswith("clv_")
    shown = gate.cli("key", "show", "--data", gate.data, child["id"], "--json")
    above = gate.cli("key", "show", "--data", gate.data, parent["id"], "--json")
    for field in ("team", "project", "environment", "scope", "rpm", "tpm", "concurrency", "expires"):
        assert shown[field] == above[field], field
    assert shown["created_by"] == f"key:{parent['id']}"
    assert rig.ask(gate, "openai", child["key"])[0] == 200
    assert json.loads(rig.ask(gate, "openai", child["key"], model="o3")[2])["error"]["code"] == "model_denied"
    assert sandbox.received() == 1


WIDER = {
    "models": ["gpt-*"],
    "endpoints": ["chat", "embeddings"],
    "cidrs": ["126.0.0.0/7"],
    "expires": "2h",
    "budgets": ["6usd/day"],
    "rpm": 51,
    "tpm": 5001,
    "concurrency": 6,
    "max_output_tokens": 101,
    "n": 3,
    "schedules": ["daily 00:00-24:00 Europe/Berlin"],
    "tools": ["*"],
    "max_tier": "priority",
    "environment": "prod",
    "project": "other",
    "team": "blue",
}


def test_whatever_is_wider_is_refused_by_the_name_of_its_field(fresh):
    gate, sandbox = fresh()
    parent = gate.key(
        "--model", "gpt-4o*", "--endpoint", "chat", "--cidr", "127.0.0.0/8", "--expires", "1h",
        "--budget", "5usd/day", "--rpm", "50", "--tpm", "5000", "--concurrency", "5",
        "--max-output-tokens", "100", "--max-choices", "2", "--schedule", "daily 00:00-24:00",
        "--tool", "function:*", "--max-tier", "standard",
    )  # fmt: skip
    for field, value in WIDER.items():
        answer = petition(gate, parent["key"], body={"name": "child", field: value})
        assert code_of(answer) == (403, "scope_exceeded"), (field, answer)
        if field != "n":
            assert answer[2]["error"]["message"].startswith(field + ":"), answer
    code, _, err = gate.run(
        "key", "create", "--data", gate.data, "--parent", parent["id"], "--name", "child", "--budget",
        "5.01usd/day", "--json",
    )  # fmt: skip
    assert code in (1, 3) and "scope_exceeded" in err
    assert petition(gate, parent["key"], method="GET")[2]["keys"] == []
    misspelt = petition(gate, parent["key"], body={"name": "child", "modells": ["x"]})
    assert code_of(misspelt) == (400, "invalid_input")
    child = gate.cli(
        "key", "create", "--data", gate.data, "--parent", parent["id"], "--name", "child",
        "--budget", "5usd/day", "--model", "gpt-4o-mini", "--n", "1", "--json",
    )  # fmt: skip
    assert child["parent"] == parent["id"] and child["scope"]["models"] == ["gpt-4o-mini"]
    assert sandbox.received() == 0


def test_strangers_and_keys_that_do_not_stand_make_no_children(fresh):
    gate, _ = fresh()
    assert code_of(petition(gate, "clv_nonsense", body={"name": "x"})) == (401, "unknown_key")
    assert code_of(petition(gate, "sk-other", body={"name": "x"})) == (401, "unknown_key")
    elsewhere = gate.key("--cidr", "192.0.2.0/24")["key"]
    assert code_of(petition(gate, elsewhere, body={"name": "x"})) == (403, "network_denied")
    key = gate.key()
    gate.cli("key", "freeze", "--data", gate.data, key["id"])
    assert code_of(petition(gate, key["key"], body={"name": "x"})) == (401, "frozen_key")
    patched = petition(gate, gate.key()["key"], "PATCH", body={"name": "x"})
    assert code_of(patched) == (405, "unsupported_method")
    big = {"name": "x" * (1024 * 1024)}
    assert code_of(petition(gate, gate.key()["key"], body=big)) == (413, "body_too_large")


def test_a_repeated_request_makes_one_child(fresh):
    gate, _ = fresh()
    parent = gate.key()
    once = {"idempotency-key": "turn-7"}
    first = petition(gate, parent["key"], body={"name": "child"}, extra=once)
    again = petition(gate, parent["key"], body={"name": "child"}, extra=once)
    assert (first[0], again[0]) == (201, 200)
    assert again[2]["id"] == first[2]["id"] and again[2]["key"] is None
    other = petition(gate, parent["key"], body={"name": "other"}, extra=once)
    assert code_of(other) == (409, "conflict")
    assert len(petition(gate, parent["key"], method="GET")[2]["keys"]) == 1


def test_a_key_sees_and_revokes_those_below_it_and_no_others(fresh):
    gate, _ = fresh()
    parent, stranger = gate.key(), gate.key()
    child = child_of(gate, parent["key"])
    grandchild = child_of(gate, child["key"])
    listed = petition(gate, parent["key"], method="GET")[2]["keys"]
    assert [key["id"] for key in listed] == [child["id"], grandchild["id"]]
    assert all("clv_" not in json.dumps(key) for key in listed)
    assert petition(gate, stranger["key"], method="GET")[2]["keys"] == []
    for who, whom in ((stranger, child), (child, parent), (child, child), (grandchild, child)):
        answer = petition(gate, who["key"], "DELETE", "/" + whom["id"])
        assert code_of(answer) == (404, "not_found")
    status, _, body = petition(gate, parent["key"], "DELETE", "/" + child["id"])
    assert (status, body["state"]) == (200, "revoked")
    for key in (child, grandchild):
        assert json.loads(rig.ask(gate, "openai", key["key"])[2])["error"]["code"] == "revoked_key"
    assert rig.ask(gate, "openai", parent["key"])[0] == 200


def test_children_go_so_deep_and_no_deeper(fresh):
    gate, _ = fresh()
    key = gate.key()["key"]
    for _ in range(4):
        key = child_of(gate, key)["key"]
    assert code_of(petition(gate, key, body={"name": "child"})) == (409, "too_many_keys")
    assert rig.ask(gate, "openai", key)[0] == 200


@pytest.mark.parametrize("verb", ["revoke", "freeze"])
def test_a_whole_tree_falls_with_its_root_under_load(fresh, verb):
    gate, sandbox = fresh()
    root = gate.key()
    child = child_of(gate, root["key"])
    grandchild = child_of(gate, child["key"])
    keys = [root, child, grandchild]

    def act():
        gate.cli("key", verb, "--data", gate.data, root["id"], "--json")

    async def load():
        begun = asyncio.Barrier(len(keys) * 3 + 1)
        streams = [
            cut_after(gate, long_stream(gate, key["key"]), lambda: time.sleep(1), begun) for key in keys * 3
        ]
        streams.append(cut_after(gate, long_stream(gate, grandchild["key"]), act, begun))
        return await asyncio.gather(*streams)

    for answer, _ in asyncio.run(load()):
        assert b"stream_cut" in answer and b"[DONE]" not in answer
    received = sandbox.received()
    word = {"revoke": "revoked_key", "freeze": "frozen_key"}[verb]
    for key in keys:
        status, _, body = rig.ask(gate, "openai", key["key"])
        assert (status, json.loads(body)["error"]["code"]) == (401, word)
    assert sandbox.received() == received
    if verb == "freeze":
        shown = gate.cli("key", "show", "--data", gate.data, grandchild["id"], "--json")
        assert (shown["state"], shown["stopped_by"]) == ("active", root["id"])
        gate.cli("key", "unfreeze", "--data", gate.data, root["id"])
        assert rig.ask(gate, "openai", grandchild["key"])[0] == 200


def test_a_parent_that_expires_ends_its_childs_stream(fresh):
    gate, _ = fresh()
    root = gate.key("--expires", "3s")
    child = child_of(gate, root["key"])
    answer, seconds = asyncio.run(cut_after(gate, long_stream(gate, child["key"]), lambda: None))
    assert b"stream_cut" in answer and seconds < 5
    assert json.loads(rig.ask(gate, "openai", child["key"])[2])["error"]["code"] == "expired_key"


def test_spend_counts_at_every_key_above(fresh):
    gate, sandbox = fresh()
    root = gate.key("--budget", "5usd/day", "--team", "red")
    for node in ("org", "team:red", "project:flow"):
        gate.cli("budget", "set", "--data", gate.data, "--on", node, "--limit", "100usd/day")
    child = child_of(gate, root["key"], budgets=["4usd/day"])
    grandchild = child_of(gate, child["key"], budgets=["3usd/day"])
    for key, times in ((root, 1), (child, 2), (grandchild, 3)):
        for _ in range(times):
            assert rig.ask(gate, "openai", key["key"])[0] == 200
    gate.nothing_in_flight()
    entries = [entry["cost_nanousd"] for entry in sandbox.ledger()["entries"]]
    assert len(entries) == 6 and len(set(entries)) == 1
    rig.until(lambda: gate.settled() == sum(entries))
    spent = {budget["on"]: budget["settled_nanousd"] for budget in gate.budgets()}
    each = entries[0]
    assert spent == {
        "org": 6 * each, "team:red": 6 * each, "project:flow": 6 * each,
        f"key:{root['id']}": 6 * each, f"key:{child['id']}": 5 * each, f"key:{grandchild['id']}": 3 * each,
    }  # fmt: skip
    assert gate.cli("journal", "verify", "--data", gate.data, "--json")["ok"]


def test_a_budget_made_later_begins_with_what_those_below_have_spent(fresh):
    gate, sandbox = fresh()
    root = gate.key()
    child = child_of(gate, root["key"])
    assert rig.ask(gate, "openai", child["key"])[0] == 200
    rig.until(lambda: gate.settled() == sandbox.cost() > 0)
    gate.cli("budget", "set", "--data", gate.data, "--on", f"key:{root['id']}", "--limit", "5usd/day")
    assert gate.budgets(f"key:{root['id']}")[0]["settled_nanousd"] == sandbox.cost()


def test_a_budget_and_a_rate_above_bind_all_below_together(fresh):
    gate, sandbox = fresh()
    root = gate.key("--rpm", "3")
    children = [child_of(gate, root["key"]) for _ in range(2)]
    codes = [rig.ask(gate, "openai", children[i % 2]["key"])[0] for i in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    assert sandbox.received() == 3
    gate.cli("budget", "set", "--data", gate.data, "--on", f"key:{root['id']}", "--limit", "0usd/day")
    status, _, body = rig.ask(gate, "openai", child_of(gate, root["key"], rpm=1)["key"])
    assert (status, json.loads(body)["error"]["code"]) == (429, "budget_exceeded")


def test_two_hundred_children_spend_no_more_than_their_parent_may(fresh):
    gate, sandbox = fresh()
    root = gate.key("--budget", "0.001usd/day")
    children = [child_of(gate, root["key"])["key"] for _ in range(20)]

    async def rush():
        asks = [rig.exchange(gate.port, rig.ask_bytes("openai", children[i % 20])) for i in range(200)]
        return await rig.gather(asks)

    statuses = [rig.parse_answer(raw)[0] for raw in asyncio.run(rush())]
    assert set(statuses) == {200, 429}
    gate.nothing_in_flight()
    assert 0 < sandbox.cost() <= 1_000_000
    rig.until(lambda: gate.settled() == sandbox.cost())


def test_an_admin_path_under_our_own_is_no_way_in(fresh):
    gate, sandbox = fresh()
    key = gate.key()["key"]
    for path in ("/../../api/v1/keys", "/x/y", "?limit=0", "?above=1"):
        assert petition(gate, key, "GET", path)[0] in (400, 404), path
    raw = rig.request_bytes("GET", "/claviger/v1/tokens", rig.auth("openai", key))
    assert rig.parse_answer(asyncio.run(rig.exchange(gate.port, raw)), "GET")[0] == 404
    assert sandbox.received() == 0
