"""Hard budgets: no concurrency, abort or route spends more than was allowed, by the provider's own ledger."""

import asyncio
import json
import random

import pytest

import rig

USD = 1_000_000_000


def costs_of_one(gate, dialect="openai", **options):
    """What one such request holds and what it costs: both read from the refusal-free run of it."""
    key = gate.key("--budget", "100usd/day")
    assert rig.ask(gate, dialect, key["key"], **options)[0] == 200
    rig.until(lambda: key["id"] in gate.usage())
    return gate.usage()[key["id"]]["cost_nanousd"]


def hold_of_one(gate, **options):
    """The worst case of one request in nano-USD: the least budget that lets it through, by bisection."""
    low, high = 0, 100_000_000
    while high - low > 1:
        middle = (low + high) // 2
        key = gate.key("--budget", f"{middle / USD:.9f}usd/day")["key"]
        if rig.ask(gate, "openai", key, **options)[0] == 200:
            high = middle
        else:
            low = middle
    return high


def test_of_200_parallel_first_requests_on_a_budget_for_one_exactly_one_reaches_the_provider(fresh):
    gate, sandbox = fresh()
    text = "Say something. [[sandbox:latency=300]]"
    hold = hold_of_one(gate, text=text.replace("300", "000"))
    for limit, fitting in ((hold, 1), (hold - 1, 0)):
        key = gate.key("--budget", f"{limit / USD:.9f}usd/total")["key"]
        sandbox.reset()
        raw = rig.ask_bytes("openai", key, text)

        async def storm():
            return await rig.gather([rig.exchange(gate.port, raw) for _ in range(200)])

        statuses = [rig.parse_answer(answer)[0] for answer in asyncio.run(storm())]
        assert statuses.count(200) == fitting
        assert statuses.count(429) == 200 - fitting
        assert sandbox.received() == fitting
    refused = next(a for a in asyncio.run(storm()) if b" 429 " in a[:20])
    status, headers, body = rig.parse_answer(refused)
    error = json.loads(body)["error"]
    assert (status, error["code"], headers["x-should-retry"]) == (429, "budget_exceeded", "false")
    assert "usd" in error["message"].lower() or "$" in error["message"], error


def mixed_storm(gate, keys, seed, count=200, aborting=0.2):
    """Requests of all dialects and forms; a share of the clients goes away after some bytes of the answer."""
    dice = random.Random(seed)

    def one():
        dialect = dice.choice(rig.DIALECTS)
        stream = dice.random() < 0.5
        fault = dice.choice(["", "lag=1", "reasoning=9", "tokens=3", "latency=20", "cached=2"])
        text = "Say something. " + "x" * dice.randrange(400) + (f"[[sandbox:{fault}]]" if fault else "")
        raw = rig.ask_bytes(dialect, dice.choice(keys), text, stream=stream)
        stop = dice.randrange(3000) if dice.random() < aborting else None
        return rig.exchange(gate.port, raw, stop)

    async def storm():
        return await rig.gather([one() for _ in range(count)])

    return asyncio.run(storm())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_200_mixed_requests_with_aborts_never_cost_more_than_the_budget(fresh, seed):
    gate, sandbox = fresh()
    budget = 3_000_000 + seed * 1_000_000  # enough for a part of the storm
    gate.cli(
        "budget", "set", "--data", gate.data, "--on", "project:flow", "--limit", f"{budget / USD:.9f}usd/day"
    )  # fmt: skip
    keys = [gate.key()["key"] for _ in range(5)]
    answers = mixed_storm(gate, keys, seed)
    assert sum(answer.startswith(b"HTTP/1.1 200") for answer in answers) > 5
    assert sum(answer.startswith(b"HTTP/1.1 429") for answer in answers) > 5
    spent = sandbox.cost()
    gate.nothing_in_flight()
    settled = gate.settled()
    assert 0 < spent <= settled <= budget
    window = next(b for b in gate.budgets("project:flow"))
    assert window["settled_nanousd"] == settled
    assert window["settled_nanousd"] + window["leased_nanousd"] <= budget


def test_what_is_left_can_be_spent_to_the_last_request(fresh):
    """No phantom reservation: after a storm of aborts a budget still lets through what fits into it."""
    gate, sandbox = fresh()
    key = gate.key("--budget", "0.01usd/day")
    mixed_storm(gate, [key["key"]], seed=9, count=60, aborting=0.5)
    gate.nothing_in_flight()
    hold = hold_of_one(gate)
    for _ in range(1000):
        status, _, _ = rig.ask(gate, "openai", key["key"])
        if status != 200:
            break
    assert status == 429
    rig.until(lambda: 0.01 * USD - gate.usage()[key["id"]]["cost_nanousd"] < hold)
    assert gate.usage()[key["id"]]["cost_nanousd"] <= 0.01 * USD
    assert sandbox.cost() <= gate.settled()


def test_an_exact_answer_is_settled_at_exactly_what_the_provider_bills(fresh):
    gate, sandbox = fresh()
    key = gate.key()
    count = 0
    for dialect in rig.DIALECTS:
        for stream in (False, True):
            for fault in ("tokens=50", "cached=5", "reasoning=7", "input=100,cached=90", "big_event=30000"):
                text = f"[[sandbox:{fault}]]" + "y" * 500
                status, _, body = rig.ask(gate, dialect, key["key"], text, stream=stream, max_tokens=9000)
                assert status == 200, body
                count += 1
    rig.until(lambda: gate.usage()[key["id"]]["requests"] == count)
    row = gate.usage()[key["id"]]
    assert row["cost_nanousd"] == sandbox.cost()
    assert row["estimated"] == 0


def test_what_cannot_be_metered_is_settled_from_above_and_marked(fresh):
    gate, sandbox = fresh()
    key = gate.key()
    count = 0
    for dialect in rig.DIALECTS:
        for stream in (False, True):
            for fault in (
                "omit_usage",
                "lie_usage",
                "malformed",
                "cut=700",
                "omit_usage,reasoning=30",
                "drop",
            ):
                rig_text = f"[[sandbox:{fault}]]"
                raw = rig.ask_bytes(dialect, key["key"], rig_text, stream=stream)
                asyncio.run(rig.exchange(gate.port, raw))
                count += 1
    gate.nothing_in_flight()
    rig.until(lambda: gate.usage()[key["id"]]["requests"] == count)
    row = gate.usage()[key["id"]]
    assert row["estimated"] > 0
    # Anthropic's usage has no total that would show a lie; one that is too low is the provider's own loss.
    lies = [e for e in sandbox.ledger()["entries"] if e["path"] == "/v1/messages"]
    assert row["cost_nanousd"] >= sandbox.cost() - sum(e["cost_nanousd"] for e in lies if e["completed"])


def test_a_budget_binds_at_every_level_and_a_refusal_names_it(fresh):
    gate, sandbox = fresh()
    for node in ("org", "team:red", "project:flow"):
        key = gate.key("--team", "red")
        gate.cli("budget", "set", "--data", gate.data, "--on", node, "--limit", "0usd/day")
        status, _, body = rig.ask(gate, "openai", key["key"])
        assert status == 429
        message = json.loads(body)["error"]["message"]
        assert (
            node.split(":")[0] in message or "organization" in message or "organisation" in message
        ), message
        gate.cli("budget", "set", "--data", gate.data, "--on", node, "--limit", "100usd/day")
        assert rig.ask(gate, "openai", key["key"])[0] == 200
    assert sandbox.received() == 3


def test_an_alerting_budget_lets_through_and_tells(fresh):
    gate, _ = fresh()
    gate.cli(
        "budget", "set", "--data", gate.data, "--on", "org", "--limit", "0.000001usd/day",
        "--action", "alert", "--alert-at", "50,100",
    )  # fmt: skip
    assert rig.ask(gate, "openai", gate.key()["key"])[0] == 200
    rig.until(lambda: rig.get(gate.admin + "/api/v1/alerts", gate.owner_token())[1]["alerts"])


@pytest.mark.parametrize("option, value, code", [
    ("--rpm", "3", "rate_limit_exceeded"),
    ("--tpm", "400", "token_limit_exceeded"),
    ("--concurrency", "3", "concurrency_exceeded"),
])  # fmt: skip
def test_rate_limits_hold_under_concurrency(fresh, option, value, code):
    gate, sandbox = fresh()
    key = gate.key(option, value)["key"]
    raw = rig.ask_bytes("openai", key, "Say something. [[sandbox:latency=500]]")

    async def storm():
        return await rig.gather([rig.exchange(gate.port, raw) for _ in range(50)])

    answers = [rig.parse_answer(answer) for answer in asyncio.run(storm())]
    passed = [answer for answer in answers if answer[0] == 200]
    assert 1 <= len(passed) <= 3
    assert sandbox.received() == len(passed)
    refused = [answer for answer in answers if answer[0] == 429]
    assert len(refused) + len(passed) == 50
    assert json.loads(refused[0][2])["error"]["code"] == code
    assert "retry-after-ms" in refused[0][1] or "x-should-retry" in refused[0][1]


def test_a_model_without_a_price_needs_a_price_under_a_budget(fresh):
    gate, sandbox = fresh(config='[[price]]\nprovider = "openai"\nmodels = ["local-priced"]\ninput = "1"\n'
                                 'output = "2"\nmax_output = 100\n')  # fmt: skip
    key = gate.key("--budget", "1usd/day")["key"]
    status, _, body = rig.ask(gate, "openai", key, model="local-unpriced")
    assert (status, json.loads(body)["error"]["code"]) == (403, "unpriced_model")
    assert sandbox.received() == 0
    assert rig.ask(gate, "openai", key, model="local-priced")[0] == 200
