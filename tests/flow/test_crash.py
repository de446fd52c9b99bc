"""kill -9 at seeded moments under load: what reached the provider is on record, and no money is lost."""

import asyncio
import collections
import random

import pytest

import rig

MODELS = ["gpt-4o-mini", "gpt-4o", "gpt-4.1", "gpt-4.1-mini", "gpt-5-nano"]
CLIENTS = 12
MOMENTS = 50  # of each of four runs: 200 in all
BUDGET = "1usd/day"
LIMIT = 1_000_000_000
FAULTS = ["", "lag=1", "latency=15", "tokens=3", "reasoning=11", "lag=4,tokens=30"]


async def client(gate, keys, dice, sent):
    """Asks one thing after the other until the gate is gone."""
    while True:
        fault, stream = dice.choice(FAULTS), dice.random() < 0.6
        text = "Say something." + (f" [[sandbox:{fault}]]" if fault else "")
        raw = rig.ask_bytes("openai", dice.choice(keys), text, stream=stream, model=dice.choice(MODELS))
        stop = dice.randrange(2000) if dice.random() < 0.1 else None
        try:
            got = await rig.exchange(gate.port, raw, stop)
        except OSError:
            return
        sent.append(len(got))
        if not got and stop is None:
            return


async def load_until_killed(gate, keys, dice):
    sent = []
    clients = [asyncio.create_task(client(gate, keys, dice, sent)) for _ in range(CLIENTS)]
    await asyncio.sleep(dice.uniform(0.005, 0.25))
    gate.process.kill()
    await asyncio.gather(*clients)
    return sent


def check_after_restart(gate):
    for budget in gate.budgets():
        assert budget["held_nanousd"] == 0, budget
        assert budget["leased_nanousd"] == 0, f"a phantom reservation stayed behind: {budget}"
        assert budget["settled_nanousd"] <= budget["limit_nanousd"], budget


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_after_kill_9_everything_that_reached_the_provider_is_on_record(fresh, seed):
    gate, sandbox = fresh()
    dice = random.Random(seed)
    keys = [gate.key("--budget", BUDGET)["key"] for _ in range(4)]
    gate.cli("budget", "set", "--data", gate.data, "--on", "org", "--limit", "3usd/day")
    for _ in range(MOMENTS):
        asyncio.run(load_until_killed(gate, keys, dice))
        gate.start()
        check_after_restart(gate)
    ledger = sandbox.ledger()
    reached = len(ledger["entries"])
    assert reached > MOMENTS, "the load never got to the provider"
    billed = collections.Counter(entry["model"] for entry in ledger["entries"])
    intended = collections.Counter(line["model"] for line in gate.journal() if line["t"] == "intent")
    for model, count in billed.items():
        assert (
            count <= intended[model]
        ), f"{model}: {count} requests reached the provider, {intended[model]} on record"
    settled = gate.settled()
    assert settled >= ledger["total_cost_nanousd"]
    org = next(budget for budget in gate.budgets("org"))
    assert org["settled_nanousd"] == settled
    report = gate.cli("journal", "verify", "--data", gate.data, "--json")
    assert report.get("ok", True) is True, report


def test_sigterm_lets_running_answers_end(fresh):
    gate, sandbox = fresh()
    key = gate.key()["key"]
    raw = rig.ask_bytes("openai", key, "Say something. [[sandbox:lag=20]]", stream=True)

    async def drain():
        running = [asyncio.create_task(rig.exchange(gate.port, raw)) for _ in range(5)]
        await asyncio.sleep(0.2)
        gate.process.popen.terminate()
        return await asyncio.gather(*running)

    for answer in asyncio.run(drain()):
        assert b"[DONE]" in answer
    assert gate.process.popen.wait(rig.PATIENCE) == 0
    gate.start()
    rig.until(lambda: gate.settled() == sandbox.cost())
