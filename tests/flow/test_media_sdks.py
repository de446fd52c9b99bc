"""The official Python SDK on pictures, sound, moderations and old completions: typed answers and refusals."""

import io

import openai
import pytest
from openai import OpenAI

import route_walk


@pytest.fixture(scope="module")
def client(shared):
    return OpenAI(base_url=shared.url + "/v1", api_key=shared.key()["key"], max_retries=0)


def sound():
    return ("words.wav", io.BytesIO(route_walk.wav(2)))


def test_pictures_are_made_edited_and_varied(client):
    made = client.images.generate(model="gpt-image-1", prompt="a lighthouse", quality="low", n=2)
    assert len(made.data) == 2 and made.usage.output_tokens == 544
    picture = ("a.png", io.BytesIO(b"png"), "image/png")
    assert client.images.edit(model="gpt-image-1", image=[picture, picture], prompt="more light").data
    assert client.images.create_variation(model="dall-e-2", image=picture, n=1).data


def test_pictures_come_as_a_stream(client):
    events = list(client.images.generate(model="gpt-image-1", prompt="x", stream=True, partial_images=1))
    assert events[-1].type == "image_generation.completed" and events[-1].usage.output_tokens > 0


def test_sound_is_heard_and_text_is_spoken(client):
    heard = client.audio.transcriptions.create(model="whisper-1", file=sound())
    assert heard.text and heard.usage.seconds == 2
    assert client.audio.translations.create(model="whisper-1", file=sound()).text
    events = list(client.audio.transcriptions.create(model="gpt-4o-transcribe", file=sound(), stream=True))
    assert events[-1].type == "transcript.text.done"
    spoken = client.audio.speech.create(model="tts-1", voice="alloy", input="Say something.")
    assert spoken.read().startswith(b"ID3")


def test_moderations_need_no_model_and_old_completions_stream(client):
    assert client.moderations.create(input=["a", "b"]).results[1].flagged is False
    answer = client.completions.create(model="davinci-002", prompt=["a", "b"], max_tokens=8)
    assert len(answer.choices) == 2 and answer.usage.completion_tokens > 0
    chunks = list(client.completions.create(model="davinci-002", prompt="a", max_tokens=8, stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks)


def test_refusals_are_typed(shared):
    narrow = shared.key("--model", "gpt-4o-mini")["key"]
    client = OpenAI(base_url=shared.url + "/v1", api_key=narrow, max_retries=0)
    with pytest.raises(openai.PermissionDeniedError):
        client.images.generate(model="dall-e-3", prompt="x")
    with pytest.raises(openai.PermissionDeniedError):
        client.audio.transcriptions.create(model="whisper-1", file=sound())
    poor = shared.key("--budget", "0.01usd/total")["key"]
    client = OpenAI(base_url=shared.url + "/v1", api_key=poor, max_retries=0)
    with pytest.raises(openai.RateLimitError):
        client.images.generate(model="dall-e-3", prompt="x")
    with pytest.raises(openai.PermissionDeniedError):
        client.files.list()
