"""What is asked and answered in every measurement: chat requests of a wanted size, and one short answer."""

import json

MODEL = "gpt-4o-mini"
PATH = "/v1/chat/completions"
SIZES = {"0.25k": 256, "1k": 1024, "10k": 10 * 1024, "200k": 200 * 1024}

_WORDS = "The gate counts what passes and lets nothing pass that it cannot count. "


def body(size, stream=False):
    """A request of exactly `size` bytes, made long by what the user says."""
    asked = {"model": MODEL, "max_tokens": 64, "messages": [{"role": "user", "content": ""}]}
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    missing = size - len(json.dumps(asked))
    if missing < 0:
        raise ValueError(f"a request has at least {size - missing} bytes")
    asked["messages"][0]["content"] = (_WORDS * (missing // len(_WORDS) + 1))[:missing]
    return json.dumps(asked)


def answer():
    """About 700 bytes, as OpenAI writes a short answer, with its usage."""
    message = {"role": "assistant", "content": _WORDS * 3, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 12, "completion_tokens": 24, "total_tokens": 36}
    usage["prompt_tokens_details"] = {"cached_tokens": 0, "audio_tokens": 0}
    usage["completion_tokens_details"] = {"reasoning_tokens": 0, "audio_tokens": 0}
    whole = {"id": "chatcmpl-bench00000000000000000000001", "object": "chat.completion"}
    whole |= {"created": 1790000000, "model": MODEL, "choices": [choice], "usage": usage}
    return json.dumps(whole | {"service_tier": "default", "system_fingerprint": "fp_bench"})
