"""The official Node SDKs against the gate: one scenario with each, and how often each got through."""

import json
import subprocess

import pytest

import rig

FLOW = rig.ROOT / "tests/flow"
TEXT = "A sandbox answers with plain words"
# Per SDK: the error's class and status for each refusal, and how often a 500 reaches the provider.
SDKS = {
    "openai6": (
        {
            "bad-key": ("AuthenticationError", 401),
            "scope": ("PermissionDeniedError", 403),
            "budget": ("RateLimitError", 429),
            "rate": ("RateLimitError", 429),
            "upstream": ("InternalServerError", 500),
        },
        3,
    ),
    "genai": (
        {
            "bad-key": ("ApiError", 401),
            "scope": ("ApiError", 403),
            "budget": ("ApiError", 429),
            "rate": ("ApiError", 429),
            "upstream": ("ApiError", 500),
        },
        1,
    ),
}
SDKS["openai7"] = SDKS["openai6"]
SDKS["anthropic"] = SDKS["openai6"]
ANSWERED = {
    "openai6": ["answer", "stream", "tool", "responses", "responses-stream", "embeddings"],
    "anthropic": ["answer", "stream", "tool", "count"],
    "genai": ["answer", "stream", "tool", "count"],
}
ANSWERED["openai7"] = ANSWERED["openai6"]


@pytest.fixture(scope="module", params=list(ANSWERED))
def told(request, shared):
    """What one SDK got, by case, and how many requests the provider saw."""
    keys = {
        "good": shared.key()["key"],
        "bad": "clv_" + "0" * 12 + "_" + "0" * 43 + "000000",
        "scoped": shared.key("--model", "no-such-model")["key"],
        "limited": shared.key("--rpm", "1")["key"],
        "broke": shared.key("--budget", "0usd/day")["key"],
    }
    before = shared.sandbox.received()
    done = subprocess.run(
        ["node", "sdks.mjs", request.param, shared.url],
        cwd=FLOW, input=json.dumps(keys), capture_output=True, text=True, timeout=rig.PATIENCE * 2,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    cases = {}
    for line in done.stdout.splitlines():
        case = json.loads(line)
        cases[case.pop("name")] = case
    return request.param, cases, shared.sandbox.received() - before


def test_answers_streams_and_tool_calls_come_as_the_sdk_expects(told):
    sdk, cases, _ = told
    for name in ANSWERED[sdk]:
        assert "ok" in cases[name], (sdk, name, cases[name])
    assert cases["answer"]["ok"].startswith(TEXT)
    assert cases["stream"]["ok"] == cases["answer"]["ok"]
    assert cases["tool"]["ok"] == 'weather{"city":"sandbox"}'
    if sdk.startswith("openai"):
        assert cases["responses"]["ok"] == cases["answer"]["ok"]
        assert cases["responses-stream"]["ok"] == "response.completed"
        assert cases["embeddings"]["ok"] == 8


def test_refusals_are_the_sdks_own_typed_errors(told):
    sdk, cases, _ = told
    for name, (kind, status) in SDKS[sdk][0].items():
        assert (cases[name].get("error"), cases[name].get("status")) == (kind, status), (
            sdk,
            name,
            cases[name],
        )
    assert cases["rate-first"] == {"ok": True}
    if sdk.startswith("openai"):
        assert cases["bad-key"]["code"] == "unknown_key"
        assert cases["scope"]["code"] == "model_denied"
        assert cases["budget"]["code"] == "budget_exceeded"
        assert cases["rate"]["code"] == "rate_limit_exceeded"


def test_a_stream_that_breaks_is_an_error_and_no_end(told):
    sdk, cases, _ = told
    assert "error" in cases["cut"], (sdk, cases["cut"])


def test_only_what_was_allowed_reached_the_provider_and_retries_are_the_sdks_alone(told):
    sdk, cases, received = told
    # Answered cases, one within the rate, the broken stream, and the failing one as often as the SDK tries.
    assert received == len(ANSWERED[sdk]) + 2 + SDKS[sdk][1], (sdk, cases)
