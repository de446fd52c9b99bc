"""Clients that leave and providers that break off, at every byte: never free, never above the hold."""

import asyncio
import os

import pytest

import rig

TEXT = "Say something. [[sandbox:tokens=3]]"
WAYS = [(dialect, stream) for dialect in rig.DIALECTS for stream in (True, False)]


def offsets(size, step=1):
    """Every offset; with a step every so many, from a different one in each run."""
    start = int.from_bytes(os.urandom(2)) % step
    return sorted({0, 1, size - 1} | set(range(start, size, step)))


def rows_once(gate, count):
    """Usage rows by key once so many keys have their request settled and nothing is in flight."""
    gate.nothing_in_flight()
    rig.until(lambda: len(gate.usage()) >= count)
    for line in gate.journal():
        if line["t"] == "receipt":
            assert line["cost_nanousd"] <= line["hold_nanousd"], line
    return gate.usage()


def keys_of(gate, count):
    """Many keys at once, each with a blocking budget, so that each request is settled by itself."""
    token = gate.owner_token()
    keys = []
    for number in range(count):
        body = {"name": f"abort-{number}", "project": "flow", "environment": "dev", "budgets": ["1usd/day"]}
        status, answer, _ = rig.get(gate.admin + "/api/v1/keys", token, "POST", body)
        assert status == 201, answer
        keys.append(answer)
    return keys


@pytest.mark.parametrize("dialect, stream", WAYS)
def test_a_client_that_leaves_at_any_byte_is_settled_between_the_providers_bill_and_the_hold(
    fresh, dialect, stream
):
    gate, sandbox = fresh()
    probe = gate.key("--budget", "1usd/day")
    raw = asyncio.run(rig.exchange(gate.port, rig.ask_bytes(dialect, probe["key"], TEXT, stream=stream)))
    cost = rig.until(lambda: gate.usage().get(probe["id"]))["cost_nanousd"]
    assert cost == sandbox.cost()
    points = offsets(len(raw))
    keys = keys_of(gate, len(points))

    async def storm():
        return await rig.gather(
            [
                rig.exchange(
                    gate.port, rig.ask_bytes(dialect, key["key"], TEXT, stream=stream), stop_after=point
                )
                for key, point in zip(keys, points)
            ],
            at_once=50,
        )

    taken = asyncio.run(storm())
    rows = rows_once(gate, len([got for got in taken if got]))
    assert sum(row["cost_nanousd"] for row in rows.values()) >= sandbox.cost()
    for key, got in zip(keys, taken):
        if not got:
            continue  # it may have gone before its request was read
        row = rows[key["id"]]
        assert row["cost_nanousd"] > 0, f"{len(got)} bytes were delivered for nothing"
        # The sandbox answers at once, so all was generated and every abort owes the whole answer.
        assert row["cost_nanousd"] >= cost, (len(got), row)


@pytest.mark.parametrize("dialect", rig.DIALECTS)
def test_a_client_that_leaves_a_slow_stream_pays_what_was_generated(fresh, dialect):
    gate, sandbox = fresh()
    text = "Say something. [[sandbox:tokens=40,lag=10]]"
    keys = keys_of(gate, 40)

    async def storm():
        return await rig.gather(
            [
                rig.exchange(
                    gate.port,
                    rig.ask_bytes(dialect, key["key"], text, stream=True),
                    stop_after=200 + 150 * i,
                )
                for i, key in enumerate(keys)
            ],
            at_once=40,
        )

    asyncio.run(storm())
    rows = rows_once(gate, len(keys))
    assert len(sandbox.ledger()["entries"]) == len(keys)
    assert sum(row["cost_nanousd"] for row in rows.values()) >= sandbox.cost()
    assert all(row["cost_nanousd"] > 0 for row in rows.values())


@pytest.mark.parametrize("dialect", rig.DIALECTS)
@pytest.mark.parametrize("stream", [True, False])
def test_a_provider_that_breaks_off_at_any_byte_is_settled_from_above(fresh, dialect, stream):
    gate, sandbox = fresh()
    key = gate.key()["key"]
    size = len(rig.ask(gate, dialect, key, TEXT, stream=stream)[2])
    sandbox.reset()
    points = offsets(size, step=3)
    keys = keys_of(gate, len(points))

    async def storm():
        return await rig.gather(
            [
                rig.exchange(
                    gate.port,
                    rig.ask_bytes(
                        dialect,
                        key["key"],
                        f"Say something. [[sandbox:tokens=3,cut={point}]]",
                        stream=stream,
                    ),
                )
                for key, point in zip(keys, points)
            ],
            at_once=50,
        )

    answers = asyncio.run(storm())
    rows = rows_once(gate, len(points))
    billed = {entry["id"]: entry["cost_nanousd"] for entry in sandbox.ledger()["entries"]}
    assert sum(rows[key["id"]]["cost_nanousd"] for key in keys if key["id"] in rows) >= sum(billed.values())
    for answer, point in zip(answers, points):
        assert answer, f"cut at {point}: the client heard nothing"
        if stream and answer.startswith(b"HTTP/1.1 200"):
            assert (
                b"error" in answer
            ), f"cut at {point}: the stream ended as if it were whole: {answer[-200:]!r}"


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
