"""The official Python SDKs against the gate: answers, streams, tool calls and typed errors."""

import os

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors as genai_errors
from google.genai import types as genai_types

import rig

for name in (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
):
    os.environ.pop(name, None)

MESSAGES = [{"role": "user", "content": "Say something."}]
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture(scope="module")
def key(shared):
    return shared.key()["key"]


def openai_client(gate, key, **options):
    return openai.OpenAI(api_key=key, base_url=gate.url + "/v1", **options)


def anthropic_client(gate, key, **options):
    return anthropic.Anthropic(api_key=key, base_url=gate.url, **options)


def gemini_client(gate, key):
    return genai.Client(api_key=key, http_options={"base_url": gate.url})


def chat(gate, key, text="Say something.", model="gpt-4o-mini", retries=2, **options):
    messages = [{"role": "user", "content": text}]
    client = openai_client(gate, key, max_retries=retries)
    return client.chat.completions.create(model=model, messages=messages, **options)


def message(gate, key, text="Say something.", model="claude-haiku-4-5", retries=2, **options):
    messages = [{"role": "user", "content": text}]
    client = anthropic_client(gate, key, max_retries=retries)
    return client.messages.create(model=model, max_tokens=64, messages=messages, **options)


def content(gate, key, text="Say something.", model="gemini-2.5-flash", **options):
    client = gemini_client(gate, key)  # named, since it closes when it is forgotten
    return client.models.generate_content(model=model, contents=text, **options)


class TestOpenai:
    def test_chat_answers_with_usage(self, shared, key):
        answer = chat(shared, key)
        assert answer.choices[0].message.content.startswith("A sandbox answers")
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage.completion_tokens == 24

    def test_chat_streams_to_its_end_and_hides_the_usage_that_was_not_asked_for(self, shared, key):
        chunks = list(chat(shared, key, stream=True))
        assert "".join(c.choices[0].delta.content or "" for c in chunks).startswith("A sandbox answers")
        assert chunks[-1].choices[0].finish_reason == "stop"
        assert all(chunk.usage is None for chunk in chunks)
        assert all("usage" not in chunk.model_fields_set for chunk in chunks)

    def test_chat_streams_the_usage_that_was_asked_for(self, shared, key):
        chunks = list(chat(shared, key, stream=True, stream_options={"include_usage": True}))
        assert chunks[-1].choices == []
        assert chunks[-1].usage.completion_tokens == 24

    @pytest.mark.parametrize("stream", [False, True])
    def test_chat_calls_a_tool_and_hears_its_answer(self, shared, key, stream):
        tools = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
        client = openai_client(shared, key)
        with client.chat.completions.stream(model="gpt-4o-mini", messages=MESSAGES, tools=tools) as events:
            call = events.get_final_completion().choices[0].message.tool_calls[0]
        if not stream:
            call = chat(shared, key, tools=tools).choices[0].message.tool_calls[0]
        assert (call.function.name, call.function.arguments) == ("weather", '{"city":"sandbox"}')
        asked = {"role": "assistant", "tool_calls": [call.model_dump(include={"id", "type", "function"})]}
        told = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
        answer = client.chat.completions.create(
            model="gpt-4o-mini", messages=MESSAGES + [asked, told], tools=tools
        )
        assert answer.choices[0].finish_reason == "stop"

    def test_responses_answer_stream_and_call_tools(self, shared, key):
        client = openai_client(shared, key)
        answer = client.responses.create(model="gpt-4o-mini", input="Say something.")
        assert answer.output_text.startswith("A sandbox answers")
        assert answer.usage.output_tokens == 24
        with client.responses.stream(model="gpt-4o-mini", input="Say something.") as events:
            kinds = [event.type for event in events]
            final = events.get_final_response()
        assert kinds[0] == "response.created" and kinds[-1] == "response.completed"
        assert final.output_text == answer.output_text
        tools = [{"type": "function", "name": "weather", "parameters": WEATHER, "strict": True}]
        call = client.responses.create(model="gpt-4o-mini", input="Weather?", tools=tools).output[0]
        assert (call.type, call.name, call.arguments) == ("function_call", "weather", '{"city":"sandbox"}')

    def test_embeddings_and_models(self, shared, key):
        client = openai_client(shared, key)
        answer = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
        assert [len(item.embedding) for item in answer.data] == [8, 8]
        assert "gpt-4o-mini" in [model.id for model in client.models.list()]
        assert client.models.retrieve("gpt-4o-mini").id == "gpt-4o-mini"


class TestAnthropic:
    def test_messages_answer_with_usage(self, shared, key):
        answer = message(shared, key)
        assert answer.content[0].text.startswith("A sandbox answers")
        assert answer.stop_reason == "end_turn"
        assert answer.usage.output_tokens == 24

    def test_messages_stream_to_their_end(self, shared, key):
        client = anthropic_client(shared, key)
        with client.messages.stream(model="claude-haiku-4-5", max_tokens=64, messages=MESSAGES) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        assert text.startswith("A sandbox answers")
        assert final.usage.output_tokens == 24

    @pytest.mark.parametrize("stream", [False, True])
    def test_messages_call_a_tool_and_hear_its_answer(self, shared, key, stream):
        tools = [{"name": "weather", "input_schema": WEATHER}]
        client = anthropic_client(shared, key)
        if stream:
            with client.messages.stream(
                model="claude-haiku-4-5", max_tokens=64, messages=MESSAGES, tools=tools
            ) as events:
                answer = events.get_final_message()
        else:
            answer = message(shared, key, tools=tools)
        use = answer.content[0]
        assert (use.name, use.input, answer.stop_reason) == ("weather", {"city": "sandbox"}, "tool_use")
        asked = {"role": "assistant", "content": [use.model_dump(include={"type", "id", "name", "input"})]}
        result = {"type": "tool_result", "tool_use_id": use.id, "content": "sunny"}
        turns = MESSAGES + [asked, {"role": "user", "content": [result]}]
        told = client.messages.create(model="claude-haiku-4-5", max_tokens=64, messages=turns, tools=tools)
        assert told.stop_reason == "end_turn"

    def test_count_tokens_and_models(self, shared, key):
        client = anthropic_client(shared, key)
        assert client.messages.count_tokens(model="claude-haiku-4-5", messages=MESSAGES).input_tokens > 0
        assert "claude-haiku-4-5" in [model.id for model in client.models.list()]

    def test_a_bearer_token_is_taken_too(self, shared, key):
        client = anthropic.Anthropic(auth_token=key, base_url=shared.url)
        assert client.messages.create(model="claude-haiku-4-5", max_tokens=8, messages=MESSAGES).content


class TestGemini:
    def test_content_answers_with_usage(self, shared, key):
        answer = content(shared, key)
        assert answer.text.startswith("A sandbox answers")
        assert answer.usage_metadata.candidates_token_count == 24

    def test_content_streams_to_its_end(self, shared, key):
        client = gemini_client(shared, key)
        chunks = list(
            client.models.generate_content_stream(model="gemini-2.5-flash", contents="Say something.")
        )
        assert "".join(chunk.text or "" for chunk in chunks).startswith("A sandbox answers")
        assert chunks[-1].candidates[0].finish_reason == "STOP"
        assert chunks[-1].usage_metadata.candidates_token_count == 24

    def test_content_calls_a_tool(self, shared, key):
        declared = genai_types.FunctionDeclaration(name="weather", parameters_json_schema=WEATHER)
        config = genai_types.GenerateContentConfig(
            tools=[genai_types.Tool(function_declarations=[declared])]
        )
        call = content(shared, key, config=config).function_calls[0]
        assert (call.name, call.args) == ("weather", {"city": "sandbox"})

    def test_count_tokens_and_models(self, shared, key):
        client = gemini_client(shared, key)
        assert client.models.count_tokens(model="gemini-2.5-flash", contents="hello").total_tokens > 0
        assert "models/gemini-2.5-flash" in [model.name for model in client.models.list()]


class TestRefusals:
    """Each refusal is the exception that the SDK's users catch, and reaches the provider as often as told."""

    BAD = "clv_" + "0" * 12 + "_" + "0" * 43 + "000000"

    def counted(self, gate, call, times):
        before = gate.sandbox.received()
        call()
        assert gate.sandbox.received() - before == times

    def refuse(self, gate, ask, kind, status, code=None, times=0):
        def call():
            with pytest.raises(kind) as caught:
                ask()
            error = caught.value
            assert getattr(error, "status_code", getattr(error, "code", None)) == status, error
            if code:
                assert code in (error.status if kind is genai_errors.ClientError else error.code), error

        self.counted(gate, call, times)

    def test_a_bad_key(self, shared):
        self.refuse(shared, lambda: chat(shared, self.BAD), openai.AuthenticationError, 401, "unknown_key")
        self.refuse(shared, lambda: message(shared, self.BAD), anthropic.AuthenticationError, 401)
        self.refuse(
            shared, lambda: content(shared, self.BAD), genai_errors.ClientError, 401, "UNAUTHENTICATED"
        )

    def test_a_model_out_of_scope(self, shared):
        key = shared.key("--model", "gpt-4.1*", "--model", "claude-opus*", "--model", "gemini-2.5-pro")[
            "key"
        ]
        self.refuse(shared, lambda: chat(shared, key), openai.PermissionDeniedError, 403, "model_denied")
        self.refuse(shared, lambda: message(shared, key), anthropic.PermissionDeniedError, 403)
        self.refuse(
            shared, lambda: content(shared, key), genai_errors.ClientError, 403, "PERMISSION_DENIED"
        )

    def test_an_endpoint_out_of_scope(self, shared):
        key = shared.key("--endpoint", "embeddings")["key"]
        self.refuse(shared, lambda: chat(shared, key), openai.PermissionDeniedError, 403, "endpoint_denied")
        self.refuse(shared, lambda: message(shared, key), anthropic.PermissionDeniedError, 403)

    def test_a_rate_that_is_exceeded(self, shared):
        key = shared.key("--rpm", "1")["key"]
        chat(shared, key)
        self.refuse(
            shared, lambda: chat(shared, key, retries=0), openai.RateLimitError, 429, "rate_limit_exceeded"
        )
        self.refuse(shared, lambda: message(shared, key, retries=0), anthropic.RateLimitError, 429)
        self.refuse(
            shared, lambda: content(shared, key), genai_errors.ClientError, 429, "RESOURCE_EXHAUSTED"
        )

    def test_a_budget_that_is_used_up_is_not_retried(self, shared):
        key = shared.key("--budget", "0usd/day")["key"]
        self.refuse(shared, lambda: chat(shared, key), openai.RateLimitError, 429, "budget_exceeded")
        self.refuse(shared, lambda: message(shared, key), anthropic.RateLimitError, 429)
        self.refuse(
            shared, lambda: content(shared, key), genai_errors.ClientError, 429, "RESOURCE_EXHAUSTED"
        )

    def test_errors_of_the_provider_come_through_and_are_retried_by_the_sdk_alone(self, shared, key):
        fault = "[[sandbox:status=500]]"
        self.refuse(shared, lambda: chat(shared, key, fault), openai.InternalServerError, 500, times=3)
        self.refuse(
            shared, lambda: message(shared, key, fault), anthropic.InternalServerError, 500, times=3
        )
        self.refuse(shared, lambda: content(shared, key, fault), genai_errors.ServerError, 500, times=1)

    def test_a_short_outage_is_bridged_by_the_sdk(self, shared, key):
        self.counted(shared, lambda: chat(shared, key, "[[sandbox:status=503*2,id=python]]"), 3)

    def test_a_model_that_the_provider_does_not_have(self, shared, key):
        with pytest.raises(openai.APIStatusError) as caught:
            chat(shared, key, model="gpt-nonexistent")
        assert caught.value.status_code in (403, 404)

    def test_a_stream_that_breaks_is_an_error_and_no_end(self, shared, key):
        fault = "[[sandbox:cut=1500]]"
        with pytest.raises(openai.APIError):
            list(chat(shared, key, fault, stream=True))
        with pytest.raises(anthropic.APIError):
            list(message(shared, key, fault, stream=True))
        client = gemini_client(shared, key)
        with pytest.raises((genai_errors.APIError, ValueError)):
            list(client.models.generate_content_stream(model="gemini-2.5-flash", contents=fault))


def test_what_providers_add_to_answers_stays_with_the_gate(shared, key):
    for dialect in rig.DIALECTS:
        status, headers, _ = rig.ask(shared, dialect, key)
        assert status == 200
        names = " ".join(headers).lower()
        assert "set-cookie" not in names
        assert "organization" not in names
        assert "9999" not in headers.values(), "the provider's rate limits are not the key's"
