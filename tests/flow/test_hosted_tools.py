"""Tools that the provider works: held where something bounds their calls, settled as the answer reports."""

import asyncio
import json
import random

import pytest

import rig

SEARCH = {
    "openai": {"tools": [{"type": "web_search"}], "max_tool_calls": 3},
    "anthropic": {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]},
    "gemini": {"tools": [{"googleSearch": {}}]},
}


def ask_bytes(dialect, key, text, stream=False, more=None, model=None):
    path, body = rig.question(dialect, text, stream=stream, model=model)
    if dialect == "openai":
        path = "/v1/responses"
        body = {"model": model or "gpt-4o-mini", "input": text, "max_output_tokens": 64, "stream": stream}
    headers = rig.auth(dialect, key) | {"content-type": "application/json"}
    body |= SEARCH[dialect] if more is None else more
    return rig.request_bytes("POST", path, headers, json.dumps(body).encode())


def send(gate, raw, stop=None):
    return asyncio.run(rig.exchange(gate.port, raw, stop))


@pytest.mark.parametrize("dialect", rig.DIALECTS)
def test_searches_are_settled_at_exactly_what_the_provider_bills(fresh, dialect):
    gate, sandbox = fresh()
    key = gate.key("--budget", "100usd/total")
    count = 0
    for stream in (False, True):
        for text in ("no search", "[[sandbox:searches=1]]", "[[sandbox:searches=3,reasoning=9]]"):
            status, _, body = rig.parse_answer(send(gate, ask_bytes(dialect, key["key"], text, stream)))
            assert status == 200, body
            count += 1
    gate.nothing_in_flight()
    rig.until(lambda: gate.usage()[key["id"]]["requests"] == count)
    row = gate.usage()[key["id"]]
    assert row["cost_nanousd"] == sandbox.cost()
    assert row["estimated"] == 0
    # OpenAI and Anthropic bill 8 searches of a cent; Gemini 2.5 one of 3.5 cents for each grounded answer.
    assert sandbox.cost() >= (4 * 35_000_000 if dialect == "gemini" else 8 * 10_000_000)


@pytest.mark.parametrize("dialect", rig.DIALECTS)
def test_a_search_that_the_client_does_not_wait_for_is_paid_and_stays_below_its_hold(fresh, dialect):
    gate, sandbox = fresh()
    dice = random.Random(11)
    for _ in range(12):
        key = gate.key("--budget", "100usd/total")
        raw = ask_bytes(dialect, key["key"], "[[sandbox:searches=2,lag=1]]", stream=True)
        send(gate, raw, stop=dice.randrange(2500))
    gate.nothing_in_flight()
    assert sandbox.cost() <= gate.settled()
    receipts = [record for record in gate.journal() if record["t"] == "receipt"]
    assert receipts
    for record in receipts:
        assert record["cost_nanousd"] <= record["hold_nanousd"], record


def test_the_hold_of_a_search_covers_its_rounds_so_a_small_budget_refuses_it(fresh):
    gate, sandbox = fresh()
    for dialect in rig.DIALECTS:
        key = gate.key("--budget", "0.01usd/total")["key"]
        assert rig.parse_answer(send(gate, ask_bytes(dialect, key, "x", more={})))[0] == 200
        sandbox.reset()
        status, _, body = rig.parse_answer(send(gate, ask_bytes(dialect, key, "[[sandbox:searches=1]]")))
        assert (status, sandbox.received()) == (429, 0), body


UNBOUNDED = [
    ("openai", None, {"tools": [{"type": "web_search"}]}, "max_tool_calls"),
    ("openai", None, {"tools": [{"type": "web_search_preview"}], "max_tool_calls": 2}, "web_search_preview"),
    ("openai", None, {"tools": [{"type": "code_interpreter", "container": "cntr_1"}], "max_tool_calls": 2},
     "container"),
    ("anthropic", None, {"tools": [{"type": "web_search_20250305", "name": "w"}]}, "max_uses"),
    ("anthropic", None, {"tools": [{"type": "web_search_20260209", "name": "w", "max_uses": 2}]}, "20260209"),
    ("anthropic", None, {"tools": [{"type": "code_execution_20250825", "name": "c"}]}, "code_execution"),
    ("gemini", "gemini-3-flash-preview", {"tools": [{"googleSearch": {}}]}, "apiece"),
    ("gemini", None, {"tools": [{"urlContext": {}}]}, "urlContext"),
]  # fmt: skip


def test_what_nothing_bounds_is_refused_under_a_budget_with_a_sentence_that_says_what_to_do(fresh):
    gate, sandbox = fresh()
    key = gate.key("--budget", "100usd/total")["key"]
    for dialect, model, more, word in UNBOUNDED:
        raw = ask_bytes(dialect, key, "x", more=more, model=model)
        status, _, body = rig.parse_answer(send(gate, raw))
        error = json.loads(body)["error"]
        assert status == 403 and word in error["message"], (more, error)
    assert sandbox.received() == 0
