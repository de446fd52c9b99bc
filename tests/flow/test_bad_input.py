"""What is refused before it reaches a provider: framing, heads, keys and bodies, in the caller's dialect."""

import asyncio
import json
import re

import pytest

import rig

CLOSES = True
STAYS = False


@pytest.fixture(scope="module")
def keys(shared):
    return shared.key()["key"], shared.key()["key"]


def send(gate, raw, half_close=False):
    return asyncio.run(rig.exchange(gate.port, raw, half_close=half_close, patience=20))


def head(*lines, key="KEY", body="", path="/v1/chat/completions"):
    """A request with these lines after the usual ones; lines may hold anything."""
    start = [f"POST {path} HTTP/1.1", "Host: gate.test", f"Authorization: Bearer {key}"]
    return "\r\n".join([*start, *lines]) + "\r\n\r\n" + body


GOOD = json.dumps(rig.question("openai")[1])
SIZE = f"Content-Length: {len(GOOD)}"
JSON = "Content-Type: application/json"

FRAMING = {
    "length and chunked": (400, "ambiguous_framing", head(SIZE, "Transfer-Encoding: chunked", body=GOOD)),
    "two lengths": (400, "duplicate_header", head(SIZE, "Content-Length: 1", body=GOOD)),
    "two equal lengths": (400, "duplicate_header", head(SIZE, SIZE, body=GOOD)),
    "a list of lengths": (400, "malformed_request", head(f"{SIZE}, {len(GOOD)}", body=GOOD)),
    "a signed length": (400, "malformed_request", head(f"Content-Length: +{len(GOOD)}", body=GOOD)),
    "a hex length": (400, "malformed_request", head(f"Content-Length: {hex(len(GOOD))}", body=GOOD)),
    "a huge length": (400, "malformed_request", head("Content-Length: 99999999999999999999999", body=GOOD)),
    "chunked twice": (501, "unsupported_transfer", head("Transfer-Encoding: chunked, chunked", body=GOOD)),
    "gzip then chunked": (501, "unsupported_transfer", head("Transfer-Encoding: gzip, chunked", body=GOOD)),
    "identity": (501, "unsupported_transfer", head("Transfer-Encoding: identity", body=GOOD)),
    "bare line feeds": (400, "malformed_request", head(SIZE, body=GOOD).replace("\r\n", "\n")),
    "one bare line feed": (
        400,
        "malformed_request",
        head(SIZE, body=GOOD).replace("gate.test\r\n", "gate.test\n"),
    ),
    "a folded header": (400, "malformed_request", head(SIZE, "X-A: b", "  c", body=GOOD)),
    "space before the colon": (400, "malformed_request", head(SIZE, "X-A : b", body=GOOD)),
    "a name with a control byte": (400, "malformed_request", head(SIZE, "X\x01A: b", body=GOOD)),
    "a value with a control byte": (400, "malformed_request", head(SIZE, "X-A: \x00b", body=GOOD)),
    "no host": (400, "malformed_request", head(SIZE, body=GOOD).replace("Host: gate.test\r\n", "")),
    "two hosts": (400, "duplicate_header", head(SIZE, "Host: other.test", body=GOOD)),
    "two authorizations": (400, "duplicate_header", head(SIZE, "Authorization: Bearer x", body=GOOD)),
    "two content types": (400, "duplicate_header", head(SIZE, JSON, JSON, body=GOOD)),
    "HTTP/1.0": (505, "unsupported_version", head(SIZE, body=GOOD).replace("HTTP/1.1", "HTTP/1.0")),
    "HTTP/2.0": (505, "unsupported_version", head(SIZE, body=GOOD).replace("HTTP/1.1", "HTTP/2.0")),
    "an absolute target": (
        400,
        "malformed_request",
        head(SIZE, body=GOOD, path="http://evil.test/v1/models"),
    ),
    "a fragment": (400, "malformed_request", head(SIZE, body=GOOD, path="/v1/chat/completions#x")),
    "a space in the target": (400, "malformed_request", head(SIZE, body=GOOD, path="/v1/chat completions")),
    "a long target": (414, "request_line_too_long", head(SIZE, body=GOOD, path="/v1/" + "a" * 9000)),
    "a long header": (431, "headers_too_large", head(SIZE, "X-A: " + "b" * 20000, body=GOOD)),
    "many headers": (431, "headers_too_large", head(SIZE, *[f"X-{n}: b" for n in range(200)], body=GOOD)),
    "an expectation": (417, "unsupported_expectation", head(SIZE, "Expect: 200-ok", body=GOOD)),
    "a chunk size that is none": (
        400,
        "malformed_request",
        head("Transfer-Encoding: chunked", body="zz\r\n{}\r\n"),
    ),
    "a negative chunk": (
        400,
        "malformed_request",
        head("Transfer-Encoding: chunked", body="-1\r\n{}\r\n0\r\n\r\n"),
    ),
    "a chunk with bare line feed": (
        400,
        "malformed_request",
        head("Transfer-Encoding: chunked", body="2\n{}\r\n0\r\n\r\n"),
    ),
    "a body too large": (413, "body_too_large", head("Content-Length: 40000000", body="{")),
    "not HTTP": (400, "malformed_request", "hello there\r\n\r\n"),
    "a TLS hello": (400, "malformed_request", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
}


@pytest.mark.parametrize("name", FRAMING)
def test_doubtful_framing_is_refused_and_the_connection_closed(shared, keys, name):
    status, code, raw = FRAMING[name]
    before = shared.sandbox.received()
    raw = raw.replace("KEY", keys[0]).encode("latin-1")
    answer = send(shared, raw + head(SIZE, JSON, key=keys[0], body=GOOD).encode())
    got, headers, body = rig.parse_answer(answer)
    assert (got, json.loads(body)["error"]["code"]) == (status, code), body
    assert headers["connection"] == "close"
    # Nothing after it is taken for a request: there is one answer, and then the end.
    assert len(re.findall(rb"HTTP/1\.1 \d{3} ", answer)) == 1
    assert shared.sandbox.received() == before


def nested(depth):
    return '{"a":' * depth + "1" + "}" * depth


BODIES = {
    "no JSON": (400, "invalid_json", "hello"),
    "nothing": (400, "invalid_json", ""),
    "an open object": (400, "invalid_json", '{"model":"gpt-4o-mini"'),
    "bytes behind the end": (400, "invalid_json", GOOD + "{}"),
    "bytes that are no UTF-8": (400, "invalid_json", '{"model":"\xff\xfe"}'),
    "a doubled key": (400, "duplicate_json_key", '{"model":"gpt-4o-mini","model":"gpt-4o","messages":[]}'),
    "a doubled key in disguise": (
        400,
        "duplicate_json_key",
        '{"model":"gpt-4o-mini","\\u006dodel":"gpt-4o"}',
    ),
    "a doubled key far inside": (400, "duplicate_json_key", '{"model":"gpt-4o-mini","x":[{"a":1,"a":2}]}'),
    "too deep": (400, "json_too_deep", nested(65)),
    "no model": (400, "missing_model", '{"messages":[]}'),
    "a model that is no text": (400, "missing_model", '{"model":7,"messages":[]}'),
    "a negative bound": (400, "invalid_parameter", '{"model":"gpt-4o-mini","max_tokens":-1,"messages":[]}'),
    "a bound that is no number": (400, "invalid_parameter", '{"model":"gpt-4o-mini","max_tokens":"many"}'),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_cannot_be_understood_is_refused_and_the_connection_lives(shared, keys, name):
    status, code, body = BODIES[name]
    before = shared.sandbox.received()
    data = body.encode("latin-1")
    raw = head(f"Content-Length: {len(data)}", JSON, key=keys[0]).encode() + data
    got, headers, answer = rig.parse_answer(send(shared, raw))
    error = json.loads(answer)["error"]
    assert got == status and error["code"] in (code, "invalid_parameter", "missing_model"), answer
    if code.startswith(("invalid_json", "duplicate", "json")):
        assert error["code"] == code
    assert headers.get("connection", "keep-alive") != "close"
    assert shared.sandbox.received() == before


PATHS = {
    "a double slash": "/v1//chat/completions",
    "a dot segment": "/v1/./chat/completions",
    "a way up": "/v1/x/../chat/completions",
    "an escaped slash": "/v1%2fchat/completions",
    "an escaped dot": "/v1/%2e%2e/v1/chat/completions",
    "a backslash": "/v1\\chat/completions",
    "a broken escape": "/v1/%zz/chat",
}


@pytest.mark.parametrize("name", PATHS)
def test_a_path_that_is_not_in_its_one_form_is_refused(shared, keys, name):
    before = shared.sandbox.received()
    answer = send(shared, head(SIZE, JSON, key=keys[0], body=GOOD, path=PATHS[name]).encode())
    assert rig.parse_answer(answer)[0] in (400, 404)
    assert shared.sandbox.received() == before


@pytest.mark.parametrize("path, status", [
    ("/v1/files", 403), ("/v1/batches", 403), ("/v1/organization/api_keys", 403), ("/v1/realtime", 403),
    ("/v1/responses/resp_1", 403), ("/v1/unheard/of", 404), ("/", 404), ("/_sandbox/ledger", 404),
    ("/api/v1/keys", 404), ("/metrics", 404), ("/p/unknown/v1/chat/completions", 404),
])  # fmt: skip
def test_paths_that_are_not_open_stay_shut(shared, keys, path, status):
    before = shared.sandbox.received()
    got, _, body = rig.parse_answer(
        send(shared, head(SIZE, JSON, key=keys[0], body=GOOD, path=path).encode())
    )
    assert got == status, body
    assert shared.sandbox.received() == before


def test_two_different_valid_keys_in_one_request_are_refused(shared, keys):
    before = shared.sandbox.received()
    raw = head(SIZE, JSON, f"x-api-key: {keys[1]}", key=keys[0], body=GOOD).encode()
    status, _, body = rig.parse_answer(send(shared, raw))
    assert (status, json.loads(body)["error"]["code"]) == (400, "conflicting_keys")
    assert shared.sandbox.received() == before


def test_a_key_of_ours_beside_a_strange_one_is_used_and_the_strange_one_dropped(shared, keys):
    raw = head(SIZE, JSON, "x-api-key: sk-somebody-elses-0123456789", key=keys[0], body=GOOD).encode()
    assert rig.parse_answer(send(shared, raw))[0] == 200


@pytest.mark.parametrize("dialect, path", [
    ("openai", "/v1/chat/completions"), ("anthropic", "/v1/messages"),
    ("gemini", "/v1beta/models/gemini-2.5-flash:generateContent"),
])  # fmt: skip
def test_a_refusal_without_a_key_speaks_the_callers_dialect(shared, dialect, path):
    raw = rig.request_bytes("POST", path, {"content-type": "application/json"}, b"{}")
    status, headers, body = rig.parse_answer(send(shared, raw))
    error = json.loads(body)["error"]
    assert status == 401
    assert headers["x-should-retry"] == "false"
    if dialect == "openai":
        assert error["code"] == "missing_key"
    elif dialect == "anthropic":
        assert (json.loads(body)["type"], error["type"]) == ("error", "authentication_error")
    else:
        assert (error["code"], error["status"]) == (401, "UNAUTHENTICATED")


def test_an_admin_token_opens_nothing_on_the_gate(shared):
    status, _, _ = rig.ask(shared, "openai", shared.owner_token())
    assert status == 401


def test_pipelined_requests_are_answered_in_order(shared, keys):
    one = head(SIZE, JSON, key=keys[0], body=GOOD).encode()
    bad = head("Content-Length: 5", JSON, key=keys[0], body="hello").encode()
    last = head(SIZE, JSON, "Connection: close", key=keys[0], body=GOOD).encode()

    async def run():
        reader, writer = await asyncio.open_connection("127.0.0.1", shared.port)
        writer.write(one + bad + one + last)
        return await asyncio.wait_for(reader.read(), rig.PATIENCE)

    answers = asyncio.run(run())
    statuses = [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"400", b"200", b"200"]


def test_a_head_that_arrives_byte_by_byte_is_read(shared, keys):
    raw = head(SIZE, JSON, "Connection: close", key=keys[0], body=GOOD).encode()

    async def run():
        reader, writer = await asyncio.open_connection("127.0.0.1", shared.port)
        for at in range(len(raw)):
            writer.write(raw[at : at + 1])
            await writer.drain()
        return await asyncio.wait_for(reader.read(), rig.PATIENCE)

    assert asyncio.run(run()).startswith(b"HTTP/1.1 200")


def test_expect_100_is_answered_before_the_body_and_refused_without_one(shared, keys):
    async def run(key):
        reader, writer = await asyncio.open_connection("127.0.0.1", shared.port)
        writer.write(head(SIZE, JSON, "Expect: 100-continue", key=key).encode())
        first = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), rig.PATIENCE)
        if first.startswith(b"HTTP/1.1 100"):
            writer.write(GOOD.encode())
            first = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), rig.PATIENCE)
        writer.close()
        return first[:12]

    assert asyncio.run(run(keys[0])) == b"HTTP/1.1 200"
    assert asyncio.run(run("clv_" + "0" * 62)) == b"HTTP/1.1 401"


def test_a_chunked_body_is_as_good_as_one_with_a_length(shared, keys):
    chunks = "".join(f"{len(part):x};ext=1\r\n{part}\r\n" for part in (GOOD[:7], GOOD[7:30], GOOD[30:]))
    raw = head("Transfer-Encoding: chunked", JSON, key=keys[0], body=chunks + "0\r\nX-Trailer: x\r\n\r\n")
    assert rig.parse_answer(send(shared, raw.encode()))[0] == 200


def test_a_compressed_body_is_refused(shared, keys):
    raw = head(SIZE, JSON, "Content-Encoding: gzip", key=keys[0], body=GOOD)
    status, _, body = rig.parse_answer(send(shared, raw.encode()))
    assert (status, json.loads(body)["error"]["code"]) == (415, "unsupported_encoding")
