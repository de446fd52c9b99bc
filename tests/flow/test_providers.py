"""Providers beside the three protocols: Azure OpenAI, Bedrock, Vertex, vector databases, and the rows that
speak OpenAI's. The provider's side is a recorder that answers with a recorded exchange."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

import rig
from recorder import Recorder

CHAT = {
    "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}  # fmt: skip
CONVERSE = {
    "metrics": {"latencyMs": 300}, "stopReason": "end_turn",
    "output": {"message": {"role": "assistant", "content": [{"text": "hi"}]}},
    "usage": {"inputTokens": 30, "outputTokens": 10, "totalTokens": 40, "cacheReadInputTokens": 100},
}  # fmt: skip
PRICES = """
[[price]]
provider = "bedrock"
models = ["anthropic.*", "meta.*"]
input = "1"
cache_read = "0.1"
cache_write_5m = "1.25"
output = "5"
max_output = 4096
context = 200000
[[price]]
provider = "pinecone"
models = ["query"]
request = "0.000016"
[[price]]
provider = "qdrant"
models = ["*"]
request = "0"
[[price]]
provider = "perplexity"
models = ["sonar"]
input = "1"
output = "1"
request = "0.005"
max_output = 8000
context = 127000
"""
PRICES += "".join(
    f'''
[[price]]
provider = "{name}"
models = ["priced-here"]
input = "1"
cache_read = "0.1"
output = "2"
max_output = 8000
context = 128000
'''
    for name in ("openrouter", "deepseek", "groq", "x-ai", "together", "fireworks", "mistral", "cohere",
                 "cerebras", "huggingface", "vllm", "llamacpp", "ollama", "openai_compatible")
)  # fmt: skip


@pytest.fixture(scope="module")
def recorder():
    made = Recorder()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    made = rig.Gate(tmp_path_factory.mktemp("providers"), config=PRICES)
    yield made
    assert made.stop() == 0, made.process.text()


def call(gate, key, method, path, body=None, headers=None):
    """(status, JSON of the answer)."""
    data = b"" if body is None else json.dumps(body).encode()
    fields = {"authorization": f"Bearer {key}", "content-type": "application/json"} | (headers or {})
    raw = rig.asyncio.run(rig.exchange(gate.port, rig.request_bytes(method, path, fields, data)))
    status, _, text = rig.parse_answer(raw)
    return status, json.loads(text) if text else None


def asked(recorder):
    """The only request since the last look."""
    assert len(recorder.requests) == 1, recorder.requests
    return recorder.requests.pop()


def cost_of(gate, key):
    rig.until(lambda: key["id"] in gate.usage())
    return gate.usage()[key["id"]]["cost_nanousd"]


# What each of them answers, as recorded: (base path, the answer's usage, what it costs at 1 USD a million
# tokens of input, 0.1 cached and 2 of output).
ROWS = {
    "openrouter": ("/api/v1", {"prompt_tokens": 14, "completion_tokens": 9, "total_tokens": 23,
                               "cost": 0.0000321, "is_byok": False,
                               "prompt_tokens_details": {"cached_tokens": 4}},
                   10 * 1000 + 4 * 100 + 9 * 2000),
    "deepseek": ("/v1", {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25,
                         "prompt_cache_hit_tokens": 12, "prompt_cache_miss_tokens": 8},
                 8 * 1000 + 12 * 100 + 5 * 2000),
    "groq": ("/openai/v1", {"queue_time": 0.03, "prompt_tokens": 18, "prompt_time": 0.001,
                            "completion_tokens": 6, "completion_time": 0.02, "total_tokens": 24,
                            "total_time": 0.021},
             18 * 1000 + 6 * 2000),
    "xai": ("/v1", {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 40, "num_sources_used": 0,
                    "completion_tokens_details": {"reasoning_tokens": 25}}, 12 * 1000 + 28 * 2000),
    "together": ("/v1", {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14, "cached_tokens": 0},
                 10 * 1000 + 4 * 2000),
    "fireworks": ("/inference/v1", {"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15,
                                    "prompt_tokens_details": {"cached_tokens": 0}}, 11 * 1000 + 4 * 2000),
    "mistral": ("/v1", {"prompt_tokens": 13, "completion_tokens": 7, "total_tokens": 20,
                        "prompt_audio_seconds": {}}, 13 * 1000 + 7 * 2000),
    "cohere": ("/compatibility/v1", {"prompt_tokens": 5, "completion_tokens": 8, "total_tokens": 13},
               5 * 1000 + 8 * 2000),
    "perplexity": ("", {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11,
                        "search_context_size": "low"}, 5_000_000 + 9 * 1000 + 2 * 1000),
    "cerebras": ("/v1", {"prompt_tokens": 21, "completion_tokens": 3, "total_tokens": 24,
                         "prompt_tokens_details": {"cached_tokens": 0}}, 21 * 1000 + 3 * 2000),
    "huggingface": ("/v1", {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10,
                            "completion_tokens_details": None}, 7 * 1000 + 3 * 2000),
    "vllm": ("/v1", {"prompt_tokens": 6, "total_tokens": 8, "completion_tokens": 2,
                     "prompt_tokens_details": None}, 6 * 1000 + 2 * 2000),
    "llamacpp": ("/v1", {"completion_tokens": 2, "prompt_tokens": 6, "total_tokens": 8}, 6 * 1000 + 2 * 2000),
    "ollama": ("/v1", {"prompt_tokens": 26, "completion_tokens": 10, "total_tokens": 36},
               26 * 1000 + 10 * 2000),
    "openai_compatible": ("/v1", {"prompt_tokens": 6, "completion_tokens": 2, "total_tokens": 8},
                          6 * 1000 + 2 * 2000),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_rows_recorded_exchange_takes_its_key_and_path_and_is_metered_exactly(gate, recorder, name):
    base, usage, cost = ROWS[name]
    recorder.answer = CHAT | {"model": "m", "usage": usage}
    gate.credential(f"{name}-dev", name, recorder.url + base, rig.provider_key(name))
    key = gate.key("--budget", "1usd/day")
    model = "sonar" if name == "perplexity" else "priced-here"
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}
    status, answer = call(gate, key["key"], "POST", f"/p/{name}-dev/v1/chat/completions", body)
    assert (status, answer) == (200, recorder.answer)
    method, path, headers, sent = asked(recorder)
    assert (method, path) == ("POST", base + "/chat/completions")
    assert headers["authorization"] == f"Bearer {rig.provider_key(name)}"
    assert json.loads(sent) == body
    assert cost_of(gate, key) == cost
    assert gate.usage()[key["id"]]["estimated"] == 0


@pytest.mark.parametrize("name", ROWS)
def test_a_rows_model_without_a_price_is_refused_and_sends_nothing(gate, recorder, name):
    key = gate.key("--budget", "1usd/day")["key"]
    body = {"model": "nobody-priced-this", "messages": [], "max_tokens": 9}
    status, answer = call(gate, key, "POST", f"/p/{name}-dev/v1/chat/completions", body)
    free = name in ("vllm", "llamacpp", "ollama")  # self-hosted: no provider bills tokens
    assert (status, answer.get("error", {}).get("code")) == ((200, None) if free else (403, "unpriced_model"))
    assert len(recorder.requests) == free
    recorder.requests.clear()


def test_a_request_price_is_added_to_the_tokens(gate, recorder):
    recorder.answer = CHAT
    key = gate.key("--budget", "1usd/day")
    body = {"model": "sonar", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}
    assert call(gate, key["key"], "POST", "/p/perplexity/v1/chat/completions", body)[0] == 200
    recorder.requests.clear()
    assert cost_of(gate, key) == 5_000_000 + 11 * 1_000


def test_an_azure_deployment_is_the_model_that_the_credential_says(gate, recorder):
    recorder.answer = CHAT
    gate.credential("az", "azure", recorder.url, "0123456789abcdef0123456789abcdef", "dev",
                    "--parameter", "deployment.mine=gpt-4o-mini")  # fmt: skip
    key = gate.key("--budget", "1usd/day", "--model", "gpt-4o-mini")
    path = "/openai/deployments/mine/chat/completions?api-version=2024-10-21"
    body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
    raw = rig.request_bytes("POST", path, {"api-key": key["key"]}, json.dumps(body).encode())
    status, _, text = rig.parse_answer(rig.asyncio.run(rig.exchange(gate.port, raw)))
    assert status == 200, text
    _, sent_path, headers, _ = asked(recorder)
    assert sent_path == path
    assert headers["api-key"] == "0123456789abcdef0123456789abcdef"
    assert key["key"] not in json.dumps(headers)
    assert cost_of(gate, key) == 9 * 150 + 2 * 600
    # The v1 surface names the deployment in the body, also below plain OpenAI paths.
    for path in ("/p/az/openai/v1/chat/completions", "/p/az/v1/chat/completions"):
        assert call(gate, key["key"], "POST", path, {"model": "mine", **body})[0] == 200
        assert asked(recorder)[1] == "/openai/v1/chat/completions"
    other = "/p/az/openai/deployments/other/chat/completions?api-version=2024-10-21"
    status, answer = call(gate, gate.key("--budget", "1usd/day")["key"], "POST", other, body)
    assert (status, answer["error"]["code"]) == (403, "unpriced_model")
    status, answer = call(gate, key["key"], "GET", "/p/az/openai/files")
    assert (status, answer["error"]["code"]) == (403, "route_refused")
    assert recorder.requests == []


def bedrock_signature(secret, region, method, path, headers, body):
    """SigV4 once more, from the documentation: the test's own arithmetic."""

    def mac(key, text):
        return hmac.new(key, text.encode(), hashlib.sha256).digest()

    stamp, day = headers["x-amz-date"], headers["x-amz-date"][:8]
    escaped = "".join(c if c.isalnum() or c in "-._~/" else f"%{ord(c):02X}" for c in path)
    names = [n for n in ("host", "x-amz-date", "x-amz-security-token") if n in headers]
    lines = "".join(f"{n}:{headers[n]}\n" for n in names)
    canonical = f"{method}\n{escaped}\n\n{lines}\n{';'.join(names)}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{region}/bedrock/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + secret).encode()
    for part in (day, region, "bedrock", "aws4_request"):
        key = mac(key, part)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def test_bedrock_is_signed_over_what_is_sent_and_metered(gate, recorder):
    recorder.answer = CONVERSE
    secret = "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY:SESSION/TOKEN=="
    gate.credential("aws", "bedrock", recorder.url, secret, "dev", "--parameter", "region=eu-west-1")
    key = gate.key("--budget", "1usd/day")
    model = "anthropic.claude-haiku-4-5-v1%3A0"
    body = {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}
    status, answer = call(gate, key["key"], "POST", f"/p/bedrock/model/{model}/converse", body)
    assert (status, answer) == (200, CONVERSE)
    method, path, headers, sent = asked(recorder)
    assert json.loads(sent)["inferenceConfig"] == {"maxTokens": 4096}, "the budget's bound goes along"
    signature = headers["authorization"].rpartition("Signature=")[2]
    parts = secret.split(":")
    assert signature == bedrock_signature(parts[1], "eu-west-1", method, path, headers, sent)
    assert headers["x-amz-security-token"] == parts[2]
    assert parts[1] not in json.dumps(headers)
    assert cost_of(gate, key) == 30 * 1_000 + 100 * 100 + 10 * 5_000
    live = f"/model/{model}/invoke-with-bidirectional-stream"
    status, answer = call(gate, key["key"], "POST", live, body)
    assert status == 403 and "only HTTP answers" in answer["message"], answer
    assert recorder.requests == []


def test_bedrocks_invoke_model_is_metered_by_body_or_head(gate, recorder):
    gate.credential("aws-key", "bedrock", recorder.url, "ABSKQmVkcm9ja0FQSUtleS0xMjM0NTY3ODkw")
    path = "/p/aws-key/model/meta.llama3-70b/invoke"
    recorder.answer = {"generation": "hi", "prompt_token_count": 20, "generation_token_count": 4}
    key = gate.key("--budget", "1usd/day")
    status, answer = call(gate, key["key"], "POST", path, {"prompt": "hi", "max_gen_len": 9})
    assert status == 200, answer
    assert asked(recorder)[2]["authorization"] == "Bearer ABSKQmVkcm9ja0FQSUtleS0xMjM0NTY3ODkw"
    assert cost_of(gate, key) == 20 * 1_000 + 4 * 5_000
    recorder.answer = {"generation": "hi"}
    recorder.fields = {"x-amzn-bedrock-input-token-count": "7", "x-amzn-bedrock-output-token-count": "3"}
    key = gate.key("--budget", "1usd/day")
    assert call(gate, key["key"], "POST", path, {"prompt": "hi", "max_gen_len": 9})[0] == 200
    recorder.fields = {}
    recorder.requests.clear()
    assert cost_of(gate, key) == 7 * 1_000 + 3 * 5_000
    status, answer = call(gate, key["key"], "POST", path, {"prompt": "hi"})
    assert status == 400 and "bound its answer" in answer["message"]
    assert recorder.requests == []


@pytest.mark.parametrize("verb", ["invoke", "invoke-with-response-stream"])
def test_options_of_bedrock_in_the_head_reach_nobody(gate, recorder, verb):
    gate.credential(f"aws-{verb}", "bedrock", recorder.url, "ABSKQmVkcm9ja0FQSUtleS0xMjM0NTY3ODkw")
    path = f"/p/aws-{verb}/model/meta.llama3-70b/{verb}"
    body = json.dumps({"prompt": "hi", "max_gen_len": 9}).encode()
    recorder.answer = {"generation": "hi", "prompt_token_count": 20, "generation_token_count": 4}
    plain = {"x-api-key": gate.key()["key"], "content-type": "application/json"}

    def ask(fields):
        raw = rig.request_bytes("POST", path, plain | fields, body)
        return rig.parse_answer(rig.asyncio.run(rig.exchange(gate.port, raw)))

    speed, guards = "PerformanceConfig-Latency", ("GuardrailIdentifier", "GuardrailVersion", "Trace")
    for name in ("Service-Tier", speed, *guards):
        status, _, said = ask({f"X-Amzn-Bedrock-{name}": "priority"})
        assert status == 400 and f"X-Amzn-Bedrock-{name}" in json.loads(said)["message"], said
        assert recorder.requests == [], name
    assert ask({"X-Amzn-Bedrock-Accept": "application/json"})[0] == 200
    assert asked(recorder)[2]["x-amzn-bedrock-accept"] == "application/json"


def test_vector_databases_are_metered_in_requests(gate, recorder):
    recorder.answer = {"matches": []}
    gate.credential("pc", "pinecone", recorder.url, "pcsk_0123456789abcdef")
    gate.credential("qd", "qdrant", recorder.url, "qdrant-0123456789abcdef")
    key = gate.key("--budget", "1usd/day")
    assert call(gate, key["key"], "POST", "/p/pinecone/query", {"vector": [0.1], "topK": 3})[0] == 200
    _, path, headers, _ = asked(recorder)
    assert (path, headers["api-key"]) == ("/query", "pcsk_0123456789abcdef")
    assert cost_of(gate, key) == 16_000
    point = {"points": [{"id": 1, "vector": [0.1]}]}
    assert call(gate, key["key"], "PUT", "/p/qdrant/collections/c/points?wait=true", point)[0] == 200
    method, path, headers, _ = asked(recorder)
    assert (method, path) == ("PUT", "/collections/c/points?wait=true")
    assert headers["api-key"] == "qdrant-0123456789abcdef"
    rig.until(lambda: gate.usage()[key["id"]]["requests"] == 2)
    assert cost_of(gate, key) == 16_000, "0 is a price"
    for method, path in (("POST", "/p/pinecone/vectors/upsert"), ("POST", "/p/weaviate/v1/graphql")):
        status, answer = call(gate, key["key"], method, path, {})
        assert status == 403, answer
    status, answer = call(gate, key["key"], "POST", "/p/pinecone/indexes", {})
    assert (status, answer["error"]["code"]) == (403, "route_refused")
    narrow = gate.key("--model", "gpt-*")["key"]
    assert call(gate, narrow, "POST", "/p/pinecone/query", {"vector": [0.1]})[0] == 403
    assert recorder.requests == []


def service_account(token_uri):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return {
        "type": "service_account", "project_id": "p", "private_key_id": "kid-1", "private_key": pem,
        "client_email": "gate@p.iam.gserviceaccount.com", "token_uri": token_uri,
    }  # fmt: skip


def test_a_service_accounts_token_is_minted_once_and_cached(fresh):
    gate, sandbox = fresh()
    document = json.dumps(service_account(sandbox.url + "/token"), indent=2)
    gate.credential("vertex-dev", "vertex", sandbox.url + "/v1beta", document)
    key = gate.key("--budget", "1usd/day")["key"]
    _, body = rig.question("gemini", "hi", max_tokens=9)
    path = "/p/vertex/v1beta/models/gemini-2.5-flash:generateContent"

    async def many():
        raw = rig.request_bytes("POST", path, {"x-goog-api-key": key}, json.dumps(body).encode())
        return await rig.gather([rig.exchange(gate.port, raw) for _ in range(20)])

    for raw in rig.asyncio.run(many()):
        status, _, text = rig.parse_answer(raw)
        assert status == 200, text
    assert sandbox.stats()["minted"] == 1, "twenty at once found one token"
    gate.nothing_in_flight()
    rig.until(lambda: gate.settled() == sandbox.cost())
    said = gate.process.text() + json.dumps(list(gate.journal()))
    assert "ya29." not in said and "PRIVATE KEY" not in said


def test_the_assertion_is_signed_by_the_account_for_its_token_endpoint(gate, recorder):
    account = service_account(recorder.url + "/oauth/token")
    gate.credential("vertex-signed", "vertex", recorder.url + "/v1/projects/p", json.dumps(account))
    recorder.answer = {"access_token": "ya29.made-for-this-test", "expires_in": 3600, "usageMetadata": {}}
    key = gate.key()["key"]
    path = "/p/vertex-signed/v1beta/models/gemini-2.5-flash:generateContent"
    assert call(gate, key, "POST", path, {"contents": []})[0] == 200
    (token_ask, generate) = recorder.requests
    recorder.requests.clear()
    assert token_ask[:2] == ("POST", "/oauth/token")
    assertion = token_ask[3].decode().rpartition("assertion=")[2]
    head, claims, signature = assertion.split(".")
    decoded = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (head, claims, signature)]
    assert json.loads(decoded[0]) == {"alg": "RS256", "typ": "JWT", "kid": "kid-1"}
    told = json.loads(decoded[1])
    assert (told["iss"], told["aud"]) == (account["client_email"], account["token_uri"])
    assert told["exp"] - told["iat"] == 3600
    public = serialization.load_pem_private_key(account["private_key"].encode(), None).public_key()
    public.verify(decoded[2], f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    assert generate[1] == "/v1/projects/p/models/gemini-2.5-flash:generateContent"
    assert generate[2]["authorization"] == "Bearer ya29.made-for-this-test"


def test_a_token_endpoint_that_the_credential_is_not_bound_to_gets_nothing(fresh):
    gate, sandbox = fresh()
    other = Recorder()
    document = json.dumps(service_account(other.url + "/token"))
    gate.credential("vertex-dev", "vertex", sandbox.url + "/v1beta", document)
    key = gate.key()["key"]
    path = "/p/vertex/v1beta/models/gemini-2.5-flash:generateContent"
    status, answer = call(gate, key, "POST", path, {"contents": []})
    assert status == 502, answer
    assert other.requests == []
    other.stop()
    # A document never stands in a header.
    gate.credential("odd", "openai", sandbox.url, document)
    status, answer = call(gate, key, "POST", "/p/odd/v1/chat/completions", rig.question("openai")[1])
    assert (status, answer["error"]["code"]) == (503, "credential_unavailable")
