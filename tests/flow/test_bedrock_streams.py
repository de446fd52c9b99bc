"""Bedrock's binary event streams: metered exactly, whole messages only, never free when they break off."""

import asyncio
import base64
import json
import struct
import zlib

import pytest

import rig
from test_aborts import budgeted_keys, receipts_once, storm

MODEL = "anthropic.claude-haiku-4-5-v1%3A0"
# The double bills what Anthropic would.
PRICES = """
[[price]]
provider = "bedrock"
models = ["anthropic.*"]
input = "1"
cache_read = "0.1"
cache_write_5m = "1.25"
output = "5"
max_output = 4096
context = 200000
"""
SECRET = "AKIDEXAMPLE012345678:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
WAYS = ("converse-stream", "invoke-with-response-stream")
TEXT = "Say something. [[sandbox:tokens=3]]"


def messages_of(data):
    """(type, name, payload) of each message; fails on a checksum, or on bytes that belong to none."""
    out = []
    while data:
        whole, size, crc = struct.unpack(">III", data[:12])
        assert crc == zlib.crc32(data[:8]) and len(data) >= whole
        assert struct.unpack(">I", data[whole - 4 : whole])[0] == zlib.crc32(data[: whole - 4])
        headers, fields = data[12 : 12 + size], {}
        while headers:
            end = 1 + headers[0]
            name, kind = headers[1:end].decode(), headers[end]
            assert kind == 7
            length = struct.unpack(">H", headers[end + 1 : end + 3])[0]
            fields[name] = headers[end + 3 : end + 3 + length].decode()
            headers = headers[end + 3 + length :]
        named = fields.get(":event-type") or fields.get(":exception-type")
        out.append((fields[":message-type"], named, json.loads(data[12 + size : whole - 4])))
        data = data[whole:]
    return out


def body_of(verb, text):
    if verb.startswith("invoke"):
        return {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 64,
                "messages": [{"role": "user", "content": text}]}  # fmt: skip
    return {"messages": [{"role": "user", "content": [{"text": text}]}], "inferenceConfig": {"maxTokens": 64}}


def ask_bytes(key, verb, text=TEXT):
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    path = f"/p/bedrock/model/{MODEL}/{verb}"
    return rig.request_bytes("POST", path, headers, json.dumps(body_of(verb, text)).encode())


@pytest.fixture
def bedrock(fresh):
    gate, sandbox = fresh(config=PRICES)
    gate.credential("aws", "bedrock", sandbox.url, SECRET, "dev", "--parameter", "region=eu-west-1")
    return gate, sandbox


@pytest.mark.parametrize("verb", WAYS + ("converse", "invoke"))
def test_what_it_reports_is_settled_at_exactly_what_the_provider_bills(bedrock, verb):
    gate, sandbox = bedrock
    key = gate.key("--budget", "1usd/day")
    for fault in ("tokens=3", "tokens=90,cached=4", "reasoning=7", "cache_write=5"):
        raw = asyncio.run(rig.exchange(gate.port, ask_bytes(key["key"], verb, f"x [[sandbox:{fault}]]")))
        status, headers, body = rig.parse_answer(raw)
        assert status == 200, body
        if verb in WAYS:
            assert headers["content-type"] == "application/vnd.amazon.eventstream"
            assert all(kind == "event" for kind, _, _ in messages_of(body))
    gate.nothing_in_flight()
    rig.until(lambda: gate.usage()[key["id"]]["requests"] == 4)
    row = gate.usage()[key["id"]]
    assert (row["cost_nanousd"], row["estimated"]) == (sandbox.cost(), 0)
    assert sandbox.cost() > 0


@pytest.mark.parametrize("verb", WAYS)
def test_a_client_that_leaves_at_any_byte_pays_between_the_bill_and_the_hold(bedrock, verb):
    gate, sandbox = bedrock
    keys = budgeted_keys(gate)
    raw = asyncio.run(rig.exchange(gate.port, ask_bytes(keys[0], verb)))
    cost = receipts_once(gate, 1)[0]["cost_nanousd"]
    asking = [ask_bytes(key, verb) for key in keys]
    taken = storm(gate, [(asking[at % len(asking)], at) for at in range(len(raw))])
    delivered = sum(1 for got in taken if got)
    assert delivered >= len(raw) - 1
    receipts = receipts_once(gate, 1 + delivered)
    assert sum(receipt["cost_nanousd"] for receipt in receipts) >= sandbox.cost()
    assert all(receipt["cost_nanousd"] >= cost for receipt in receipts)


@pytest.mark.parametrize("verb", WAYS)
def test_a_provider_that_breaks_off_at_any_byte_is_settled_from_above_and_said(bedrock, verb):
    gate, sandbox = bedrock
    keys = budgeted_keys(gate)
    whole = rig.parse_answer(asyncio.run(rig.exchange(gate.port, ask_bytes(keys[0], verb))))[2]
    points = range(len(whole))
    asks = [(ask_bytes(keys[at % len(keys)], verb, f"Say something. [[sandbox:tokens=3,cut={at}]]"), None)
            for at in points]  # fmt: skip
    answers = storm(gate, asks)
    receipts = receipts_once(gate, 1 + len(points))
    assert sum(receipt["cost_nanousd"] for receipt in receipts) >= sandbox.cost()
    assert all(receipt["cost_nanousd"] > 0 for receipt in receipts)
    for answer, point in zip(answers, points):
        status, _, body = rig.parse_answer(answer)
        if status == 200:
            kind, name, payload = messages_of(body)[-1]
            assert kind == "exception" and name.endswith("Exception"), (point, name)
            assert payload["message"], point


def test_a_stream_that_is_none_passes_as_it_came_and_costs_its_hold(bedrock):
    gate, sandbox = bedrock
    key = gate.key("--budget", "1usd/day")["key"]
    raw = asyncio.run(rig.exchange(gate.port, ask_bytes(key, WAYS[0], "x [[sandbox:malformed]]")))
    assert b"broken" in raw
    receipt = receipts_once(gate, 1)[0]
    assert receipt["cost_nanousd"] == receipt["hold_nanousd"] >= sandbox.cost()
    assert receipt["presumed"]


def test_a_revoked_key_ends_a_running_stream_with_an_exception(bedrock):
    gate, sandbox = bedrock
    key = gate.key("--budget", "1usd/day")

    async def cut():
        raw = ask_bytes(key["key"], WAYS[1], "x [[sandbox:tokens=400,lag=30]]")
        running = asyncio.create_task(rig.exchange(gate.port, raw))
        while sandbox.stats()["in_flight"] == 0:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(gate.cli, "key", "revoke", "--data", gate.data, key["id"], "--json")
        return await running

    body = rig.parse_answer(asyncio.run(cut()))[2]
    messages = messages_of(body)
    assert messages[-1][:2] == ("exception", "accessDeniedException"), messages[-1]
    events = [payload["bytes"] for kind, _, payload in messages if kind == "event"]
    packed = [json.loads(base64.b64decode(data)) for data in events]
    assert packed[0]["type"] == "message_start" and packed[-1]["type"] != "message_stop"
