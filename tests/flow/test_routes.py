"""The table of routes is the truth: what is served is metered to its key, what is refused sends nothing."""

import asyncio
import json

import rig
import route_walk


def send(gate, raw, method="POST"):
    return rig.parse_answer(asyncio.run(rig.exchange(gate.port, raw)), method)


def test_every_route_says_its_dialect_its_meter_and_why():
    rows = route_walk.table()
    assert len(route_walk.served()) >= 25
    for row in rows:
        assert {"method", "path", "dialect", "endpoint", "meter", "served", "why"} <= row.keys(), row
        assert row["dialect"] in (*rig.DIALECTS, "bedrock", "vectors", "claviger"), row
        assert row["path"].startswith("/") and row["why"], row
        assert row["served"] == (row["meter"] != "none"), row


def test_every_served_route_is_settled_at_no_less_than_the_provider_bills(fresh):
    gate, sandbox = fresh()
    key = gate.key("--budget", "100usd/total")
    billed = 0
    for row in route_walk.served():
        before = sandbox.cost()
        status, _, body = send(gate, route_walk.request(row, key["key"]), row["method"])
        assert status == 200, (row, body)
        billed += sandbox.cost() > before
    gate.nothing_in_flight()
    rig.until(lambda: gate.usage()[key["id"]]["requests"] == len(route_walk.served()))
    assert billed >= 12, "the oracle bills for too few routes to prove anything"
    assert sandbox.cost() <= gate.settled()
    by = gate.usage("endpoint")
    exact = ("chat", "responses", "messages", "generate_content", "completions", "images", "transcriptions",
             "speech", "moderations", "predict")  # fmt: skip
    for endpoint in exact:
        assert by[endpoint]["estimated"] == 0, (endpoint, by[endpoint])


def test_what_has_units_is_settled_at_exactly_what_the_provider_bills(fresh):
    gate, sandbox = fresh()
    key = gate.key()
    asks = [row for row in route_walk.served() if row["meter"] in ("images", "seconds", "characters")]
    asks = [row for row in asks if row["endpoint"] != "translations"]
    for row in asks:
        for text in ("Say something.", "naïve — zwölf Wörter", "[[sandbox:tokens=40]] x"):
            assert send(gate, route_walk.request(row, key["key"], text))[0] == 200, row
    bodies = [
        ("/v1/images/generations", {"model": "gpt-image-1", "prompt": "a", "quality": "low", "n": 2}),
        ("/v1/images/generations", {"model": "gpt-image-1", "prompt": "a", "stream": True}),
        ("/v1/images/generations", {"model": "dall-e-3", "prompt": "", "quality": "hd", "size": "1024x1792"}),
        ("/v1/audio/speech", {"model": "gpt-4o-mini-tts", "input": "ab", "stream_format": "sse"}),
        ("/v1/completions", {"model": "davinci-002", "prompt": ["a", "b"], "n": 2, "stream": True}),
    ]
    headers = rig.auth("openai", key["key"]) | {"content-type": "application/json"}
    for path, body in bodies:
        raw = rig.request_bytes("POST", path, headers, json.dumps(body).encode())
        status, _, answer = send(gate, raw)
        assert status == 200, (path, body, answer)
    for model in ("gpt-4o-transcribe", "whisper-1"):
        for fields in ({}, {"response_format": "verbose_json"}, {"stream": "true"}):
            kind, body = route_walk.form({"model": model} | fields, {"file": route_walk.wav(3)})
            raw = rig.request_bytes(
                "POST", "/v1/audio/transcriptions", headers | {"content-type": kind}, body
            )
            assert send(gate, raw)[0] == 200, (model, fields)
    count = len(asks) * 3 + len(bodies) + 6
    gate.nothing_in_flight()
    rig.until(lambda: gate.usage()[key["id"]]["requests"] == count)
    row = gate.usage()[key["id"]]
    assert row["cost_nanousd"] == sandbox.cost()
    assert row["estimated"] == 0


def test_with_a_budget_of_zero_no_served_route_sends_a_byte_to_the_provider(fresh):
    gate, sandbox = fresh()
    key = gate.key("--budget", "0usd/total")["key"]
    for row in route_walk.served():
        status, _, body = send(gate, route_walk.request(row, key), row["method"])
        assert status == 429, (row, status, body)
    assert sandbox.received() == 0


def test_a_key_for_something_else_is_refused_on_every_served_route(fresh):
    gate, sandbox = fresh()
    other = {row["endpoint"] for row in route_walk.served()}
    for row in route_walk.served():
        allowed = next(name for name in sorted(other) if name != row["endpoint"])
        key = gate.key("--endpoint", allowed)["key"]
        status, _, body = send(gate, route_walk.request(row, key), row["method"])
        assert status == 403, (row, status, body)
        assert b"endpoint" in body
        if "{model}" not in row["path"] and row["endpoint"] == "models":
            continue  # a list names no model; it is cut to the key's instead
        key = gate.key("--model", "some-other-model")["key"]
        status, _, body = send(gate, route_walk.request(row, key), row["method"])
        assert status == 403, (row, status, body)
    assert sandbox.received() == 0


def test_every_refused_route_is_refused_in_its_dialect_and_sends_nothing(fresh):
    gate, sandbox = fresh()
    key = gate.key()["key"]
    for row in route_walk.refused():
        headers = rig.auth(row["dialect"], key) | {"content-type": "application/json"}
        body = b"{}" if row["method"] == "POST" else b""
        raw = rig.request_bytes(row["method"], route_walk.path_of(row), headers, body)
        status, got, answer = send(gate, raw, row["method"])
        assert 400 <= status < 500, (row, status)
        error = json.loads(answer)["error"]
        assert error["message"], row
        if row["dialect"] == "gemini":
            assert {"code", "message", "status"} <= error.keys(), (row, error)
        elif row["dialect"] == "openai":
            assert {"message", "type", "param", "code"} <= error.keys(), (row, error)
        else:
            assert json.loads(answer)["type"] == "error" and "request-id" in got, (row, answer)
    assert sandbox.received() == 0


def test_a_route_of_a_provider_that_is_not_there_is_refused_and_sends_nothing(fresh):
    gate, sandbox = fresh()
    key = gate.key()["key"]
    rows = route_walk.by_name()
    assert {row["dialect"] for row in rows} >= {"openai", "bedrock", "vectors"}
    for row in rows:
        path = row["path"].replace("/**", "/x/y").replace("{model}", "gpt-4o-mini").replace("{id}", "x")
        path = path.replace("{name}", "n").replace("{class}", "C")
        body = json.dumps({"model": "gpt-4o-mini", "messages": [], "input": "x"}).encode()
        headers = rig.auth("openai", key) | {"content-type": "application/json"}
        raw = rig.request_bytes(row["method"], path, headers, body if row["method"] == "POST" else b"")
        status, _, answer = send(gate, raw, row["method"])
        assert 400 <= status < 500, (row, status, answer)
        assert b'"message"' in answer, (row, answer)
    assert sandbox.received() == 0


def test_a_websocket_is_refused_on_every_path(fresh):
    gate, sandbox = fresh()
    key = gate.key()["key"]
    extra = {"upgrade": "websocket", "connection": "upgrade", "sec-websocket-key": "x"}
    for row in route_walk.served():
        status, _, body = send(gate, route_walk.request(row, key, extra=extra), row["method"])
        assert status == 403 and b"WebSocket" in body, (row, body)
    assert sandbox.received() == 0


STORED = [
    ("/v1/responses", {"previous_response_id": "resp_1"}),
    ("/v1/responses", {"background": True}),
    ("/v1/responses", {"conversation": "conv_1"}),
    ("/v1/responses", {"input": [{"type": "item_reference", "id": "x"}]}),
    ("/v1/messages", {"container": "container_1"}),
]


def test_what_is_stored_at_the_provider_is_refused_each_with_its_own_sentence(fresh):
    gate, sandbox = fresh()
    key = gate.key()["key"]
    said = set()
    for path, more in STORED:
        dialect = "anthropic" if "messages" in path else "openai"
        body = {"model": rig.MODELS[dialect], "input": "x", "messages": [], "max_tokens": 5} | more
        headers = rig.auth(dialect, key) | {"content-type": "application/json"}
        status, _, answer = send(gate, rig.request_bytes("POST", path, headers, json.dumps(body).encode()))
        assert status == 403, (more, answer)
        said.add(json.loads(answer)["error"]["message"])
    assert len(said) == len(STORED)
    assert sandbox.received() == 0


TOOLS = [
    ("openai", "/v1/responses", {"tools": [{"type": kind}]})
    for kind in ("web_search", "file_search", "code_interpreter", "image_generation", "mcp")
]
TOOLS += [("anthropic", "/v1/messages", {"tools": [{"type": kind, "name": "x"}]})
          for kind in ("web_search_20250305", "code_execution_20250522", "web_fetch_20250910")]  # fmt: skip
TOOLS += [("anthropic", "/v1/messages", {"speed": "fast"})]
TOOLS += [("openai", "/v1/responses", {"service_tier": "ultrafast"})]
TOOLS += [("gemini", "/v1beta/models/gemini-2.5-flash:generateContent", {"tools": [{name: {}}]})
          for name in ("googleMaps", "codeExecution", "urlContext")]  # fmt: skip


def test_what_the_provider_does_by_itself_is_refused_under_a_budget_and_named(fresh):
    gate, sandbox = fresh()
    key = gate.key("--budget", "100usd/total")["key"]
    said = set()
    for dialect, path, more in TOOLS:
        body = rig.question(dialect)[1] | more
        if path == "/v1/responses":
            body = {"model": "gpt-4o-mini", "input": "x", "max_output_tokens": 16} | more
        headers = rig.auth(dialect, key) | {"content-type": "application/json"}
        status, _, answer = send(gate, rig.request_bytes("POST", path, headers, json.dumps(body).encode()))
        assert status == 403, (more, answer)
        said.add(json.loads(answer)["error"]["message"])
    assert len(said) == len(TOOLS)
    assert sandbox.received() == 0
