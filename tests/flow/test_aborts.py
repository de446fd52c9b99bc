"""Clients that leave and providers that break off, at every byte: never free, never above the hold."""

import asyncio

import pytest

import rig

TEXT = "Say something. [[sandbox:tokens=3]]"
WAYS = [(dialect, stream) for dialect in rig.DIALECTS for stream in (True, False)]


def budgeted_keys(gate, count=10):
    """Keys with a blocking budget each, so that every request is held for."""
    return [gate.key("--budget", "100usd/day")["key"] for _ in range(count)]


def receipts_once(gate, count):
    """Receipts once there are so many and nothing is under way; none of them above its hold."""
    gate.nothing_in_flight()

    def found():
        receipts = [line for line in gate.journal() if line["t"] == "receipt"]
        return receipts if len(receipts) >= count else None

    receipts = rig.until(found)
    for receipt in receipts:
        assert receipt["cost_nanousd"] <= receipt["hold_nanousd"], receipt
    rig.until(lambda: gate.settled() == sum(receipt["cost_nanousd"] for receipt in receipts))
    return receipts


def storm(gate, requests):
    """Sends (bytes, where to break off) in parallel; the answers, as far as they were taken."""

    async def run():
        tasks = [rig.exchange(gate.port, raw, stop_after=stop) for raw, stop in requests]
        return await rig.gather(tasks, at_once=50)

    return asyncio.run(run())


@pytest.mark.parametrize("dialect, stream", WAYS)
def test_a_client_that_leaves_at_any_byte_pays_between_the_bill_and_the_hold(fresh, dialect, stream):
    gate, sandbox = fresh()
    keys = budgeted_keys(gate)
    raw = asyncio.run(rig.exchange(gate.port, rig.ask_bytes(dialect, keys[0], TEXT, stream=stream)))
    cost = receipts_once(gate, 1)[0]["cost_nanousd"]
    assert cost == sandbox.cost()
    asking = [rig.ask_bytes(dialect, key, TEXT, stream=stream) for key in keys]
    points = range(len(raw))
    taken = storm(gate, [(asking[at % len(asking)], point) for at, point in enumerate(points)])
    delivered = sum(1 for got in taken if got)
    assert delivered >= len(points) - 1
    receipts = receipts_once(gate, 1 + delivered)
    assert sum(receipt["cost_nanousd"] for receipt in receipts) >= sandbox.cost()
    for receipt in receipts:
        # The sandbox answers at once, so all was generated and every abort owes the whole answer.
        assert receipt["cost_nanousd"] >= cost, receipt


@pytest.mark.parametrize("dialect", rig.DIALECTS)
def test_a_client_that_leaves_a_slow_stream_pays_what_was_generated(fresh, dialect):
    gate, sandbox = fresh()
    key = budgeted_keys(gate, 1)[0]
    raw = rig.ask_bytes(dialect, key, "Say something. [[sandbox:tokens=40,lag=10]]", stream=True)
    storm(gate, [(raw, 200 + 150 * at) for at in range(40)])
    receipts = receipts_once(gate, 40)
    assert len(sandbox.ledger()["entries"]) == 40
    assert sum(receipt["cost_nanousd"] for receipt in receipts) >= sandbox.cost()
    assert all(receipt["cost_nanousd"] > 0 for receipt in receipts)


@pytest.mark.parametrize("dialect, stream", WAYS)
def test_a_provider_that_breaks_off_at_any_byte_is_settled_from_above(fresh, dialect, stream):
    gate, sandbox = fresh()
    keys = budgeted_keys(gate)
    size = len(rig.ask(gate, dialect, keys[0], TEXT, stream=stream)[2])
    points = range(size)
    cuts = [TEXT.replace("tokens=3", f"tokens=3,cut={point}") for point in points]
    requests = [
        (rig.ask_bytes(dialect, keys[at % len(keys)], text, stream=stream), None)
        for at, text in enumerate(cuts)
    ]
    answers = storm(gate, requests)
    receipts = receipts_once(gate, 1 + len(points))
    assert sum(receipt["cost_nanousd"] for receipt in receipts) >= sandbox.cost()
    least = min(entry["cost_nanousd"] for entry in sandbox.ledger()["entries"])
    assert all(receipt["cost_nanousd"] >= least for receipt in receipts)
    for answer, point in zip(answers, points):
        assert answer, f"cut at {point}: the client heard nothing"
        if stream and answer.startswith(b"HTTP/1.1 200"):
            end = answer[-200:]
            assert b"error" in answer, f"cut at {point}: the stream ended as if it were whole: {end!r}"


def test_a_client_that_does_not_read_holds_up_neither_others_nor_memory(fresh):
    gate, sandbox = fresh()
    key = gate.key()["key"]
    text = "[[sandbox:big_event=10000000]]"
    raw = rig.ask_bytes("openai", key, text, stream=True)

    async def storm():
        stuck = []
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", gate.port, limit=1024)
            writer.write(raw)
            await writer.drain()
            stuck.append((reader, writer))
        await asyncio.sleep(1)
        lively = await rig.exchange(gate.port, rig.ask_bytes("openai", key))
        for _, writer in stuck:
            writer.transport.abort()
        return lively

    assert asyncio.run(storm()).startswith(b"HTTP/1.1 200")
    gate.nothing_in_flight()
    rig.until(lambda: gate.settled() >= sandbox.cost())
