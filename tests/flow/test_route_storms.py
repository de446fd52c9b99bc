"""Every served route under 50 parallel calls: a budget lets exactly the calls through that it covers."""

import asyncio

import pytest

import rig
import route_walk
from recorder import Recorder

USD = 1_000_000_000
CALLS = 50
FREE = ("moderations",)  # metered, at a price of 0
LATENCY = 0.15  # of the provider: all calls stand at the gate before the first has its answer


def storm(gate, raw, method):
    """The statuses of 50 calls at once."""

    async def all_at_once():
        return await rig.gather([rig.exchange(gate.port, raw) for _ in range(CALLS)])

    return [rig.parse_answer(answer, method)[0] for answer in asyncio.run(all_at_once())]


def hold_of(gate, ask, method):
    """What one call holds under a budget, as its intent on record says."""
    key = gate.key("--budget", "100usd/total")
    answer = rig.parse_answer(asyncio.run(rig.exchange(gate.port, ask(key["key"]))), method)
    assert answer[0] == 200, answer
    intents = [r for r in gate.journal() if r["t"] == "intent" and r["key"] == key["id"]]
    assert len(intents) == 1, intents
    return intents[0].get("hold_nanousd", 0)


def walk(gate, row, ask, received):
    """One call's worth lets one of 50 through, a nano-USD less none; `received` counts at the provider."""
    hold = hold_of(gate, ask, row["method"])
    if hold == 0:
        assert row["meter"] == "free" or row["endpoint"] in FREE, row
        return walk_free(gate, row, ask, received)
    assert row["meter"] != "free", row
    for limit, fitting in ((hold, 1), (hold - 1, 0)):
        key = gate.key("--budget", f"{limit / USD:.9f}usd/total")["key"]
        before = received()
        statuses = storm(gate, ask(key), row["method"])
        assert (statuses.count(200), statuses.count(429)) == (fitting, CALLS - fitting), (row, statuses)
        assert received() == before + fitting, row


def walk_free(gate, row, ask, received):
    """What costs nothing passes under any budget but 0; its calls are counted by the seat."""
    key = gate.key("--budget", "0.000000001usd/total", "--concurrency", "1")["key"]
    before = received()
    statuses = storm(gate, ask(key), row["method"])
    passed = statuses.count(200)
    assert passed >= 1 and passed + statuses.count(429) == CALLS, (row, statuses)
    assert received() == before + passed, row
    key = gate.key("--budget", "0usd/total")["key"]
    assert set(storm(gate, ask(key), row["method"])) == {429}, row
    assert received() == before + passed, row


@pytest.mark.slow
def test_with_one_calls_worth_of_50_parallel_calls_one_reaches_the_provider(fresh):
    gate, sandbox = fresh()
    fault = {"x-sandbox-fault": f"latency={int(LATENCY * 1000)}"}
    for row in route_walk.served():
        walk(gate, row, lambda key, row=row: route_walk.request(row, key, extra=fault), sandbox.received)
    assert sandbox.cost() <= gate.settled()


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A gate whose credentials are all for providers that are reached by name."""
    recorder = Recorder()
    recorder.latency = LATENCY
    recorder.answer = {
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "input_tokens": 9,
                  "output_tokens": 2, "inputTokens": 9, "outputTokens": 2}
    }  # fmt: skip
    gate = rig.Gate(tmp_path_factory.mktemp("named"), config=route_walk.NAMED_PRICES)
    route_walk.add_named(gate, recorder.url)
    yield gate, recorder
    assert gate.stop() == 0, gate.process.text()
    recorder.stop()


@pytest.mark.slow
def test_it_is_so_for_the_providers_reached_by_name(named):
    gate, recorder = named
    for row in route_walk.by_name(served=True):
        walk(gate, row, lambda key, row=row: route_walk.named_request(row, key),
                   lambda: len(recorder.requests))  # fmt: skip


def test_a_budget_of_zero_or_a_key_for_something_else_sends_nothing_to_those_either(named):
    gate, recorder = named
    recorder.requests.clear()
    nothing = gate.key("--budget", "0usd/total")["key"]
    other = gate.key("--endpoint", "speech")["key"]
    elsewhere = gate.key("--model", "some-other-model")["key"]
    rows = route_walk.by_name(served=True)
    assert {row["id"].partition(".")[0] for row in rows} == set(route_walk.NAMED)
    for row in rows:
        lists = row["endpoint"] == "models"  # names no model; it is cut to the key's instead
        for key, expected in ((nothing, 429), (other, 403), (elsewhere, 200 if lists else 403)):
            raw = asyncio.run(rig.exchange(gate.port, route_walk.named_request(row, key)))
            status, _, body = rig.parse_answer(raw, row["method"])
            assert status == expected, (row, body)
    assert len(recorder.requests) == sum(row["endpoint"] == "models" for row in rows)


def test_every_refused_route_of_those_is_refused_in_its_dialect_and_sends_nothing(named):
    gate, recorder = named
    recorder.requests.clear()
    key = gate.key()["key"]
    for row in route_walk.by_name(served=False):
        raw = asyncio.run(rig.exchange(gate.port, route_walk.named_request(row, key)))
        status, _, body = rig.parse_answer(raw, row["method"])
        assert 400 <= status < 500, (row, status)
        answer = rig.json.loads(body)
        error = answer if row["dialect"] == "bedrock" else answer["error"]
        assert error["message"] == row["why"], row
        assert ("__type" in error) if row["dialect"] == "bedrock" else ("code" in error), row
    assert recorder.requests == []
