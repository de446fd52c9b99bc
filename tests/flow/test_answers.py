"""What an answer shows: the key's own limits, the models it may use, the gate's own address; and prices."""

import json
import random

import pytest
from openai import OpenAI

import rig
import route_walk


def test_the_limits_in_the_headers_are_the_keys_own(fresh):
    gate, _ = fresh()
    key = gate.key("--rpm", "7", "--tpm", "90000")["key"]
    names = {
        "openai": ("x-ratelimit-{0}-requests", "x-ratelimit-{0}-tokens"),
        "anthropic": ("anthropic-ratelimit-requests-{0}", "anthropic-ratelimit-tokens-{0}"),
        "gemini": ("x-ratelimit-{0}-requests", "x-ratelimit-{0}-tokens"),
    }
    for used, dialect in enumerate(rig.DIALECTS, 1):
        status, headers, _ = rig.ask(gate, dialect, key)
        assert status == 200
        requests, tokens = names[dialect]
        assert headers[requests.format("limit")] == "7"
        assert headers[requests.format("remaining")] == str(7 - used)
        assert headers[tokens.format("limit")] == "90000"
        assert 0 < int(headers[tokens.format("remaining")]) < 90000
        assert headers[requests.format("reset")]
        assert "9999" not in headers.values(), "the provider's own rest is another account's"


def test_a_key_without_limits_sees_none(fresh):
    gate, _ = fresh()
    _, headers, _ = rig.ask(gate, "openai", gate.key()["key"])
    assert not [name for name in headers if "ratelimit" in name]


@pytest.mark.parametrize("dialect, path, glob", [
    ("openai", "/v1/models", "gpt-4o*"),
    ("anthropic", "/v1/models", "claude-haiku-*"),
    ("gemini", "/v1beta/models", "gemini-2.5-*"),
])  # fmt: skip
def test_a_list_of_models_shows_only_the_keys_own(shared, dialect, path, glob):
    stem = glob.rstrip("*")

    def names(*options):
        key = shared.key(*options)["key"]
        status, _, body = rig.get_raw(shared, "GET", path, rig.auth(dialect, key))
        assert status == 200, body
        answer = json.loads(body)
        found = answer["models"] if dialect == "gemini" else answer["data"]
        return [one.get("name", one["id"]).removeprefix("models/") for one in found]

    everything, mine = names(), names("--model", glob)
    assert len(mine) < len(everything)
    assert mine == [name for name in everything if name.startswith(stem)] and mine


def test_the_sdk_lists_the_keys_models(shared):
    key = shared.key("--model", "gpt-4o-mini")["key"]
    client = OpenAI(base_url=shared.url + "/v1", api_key=key, max_retries=0)
    assert [model.id for model in client.models.list()] == ["gpt-4o-mini"]


def forms_of(dice, wanted, other):
    """A chat body whose model is said in some way: plainly, escaped, doubled, in another case."""
    spelled = "".join(f"\\u{ord(c):04x}" if dice.random() < 0.3 else c for c in wanted)
    name = "".join(f"\\u{ord(c):04x}" if dice.random() < 0.3 else c for c in "model")
    rest = '"messages":[{"role":"user","content":"hi"}],"max_tokens":9'
    return dice.choice([
        f'{{"{name}":"{spelled}",{rest}}}',
        f'{{{rest},"{name}":"{spelled}"}}',
        f'{{"model":"{other}",{rest},"{name}":"{spelled}"}}',
        f'{{"{name}":"{spelled}","Model":"{other}",{rest}}}',
        f'{{"{name}":"{spelled}","MODEL":"{other}",{rest}}}',
        f'{{"{name}":"{spelled}",{rest},"x":{{"model":"{other}"}}}}',
        f'{{"{name}":"{spelled}","models":["{other}"],{rest}}}',
    ])  # fmt: skip


def multiparts_of(dice, wanted, other):
    """A transcription whose model is said once, twice, as a file, as a list, or behind a broken boundary."""
    extras = [{}, {}, {}, {}, {"Model": other}, {"model[]": other}, {"MODEL": other}, {"model[0]": other}]
    more = dice.choice(extras)
    kind, body = route_walk.form({"model": wanted} | more, {"file": route_walk.wav()})
    head = f'--{route_walk.BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\n'
    part = f"{head}{other}\r\n".encode()
    value, blank = wanted.encode(), b"\r\n\r\n"
    body = dice.choice([
        *[body] * 6,
        part + body,
        body.replace(b'name="model"', b'name="model"; filename="m"', 1),
        body.replace(b'name="model"', b'name="mo%64el"', 1),
        body.replace(blank + value, blank + other.encode() + b"\n" + part + value, 1),
        b"preamble\r\n" + part + body,
        body + part,
        body.replace(b"\r\n", b"\n"),
    ])  # fmt: skip
    return kind, body


def test_what_is_judged_is_what_is_forwarded(fresh):
    """However a model is spelled: the provider sees one the key may use, or nothing at all."""
    gate, sandbox = fresh()
    dice = random.Random(20261124)
    key = gate.key("--model", "gpt-4o-mini", "--model", "whisper-1")["key"]
    auth = rig.auth("openai", key)
    passed = refused = 0
    for at in range(240):
        if at % 3 == 2:
            wanted, other = dice.sample(["whisper-1", "gpt-4o-transcribe"], 2)
            kind, body = multiparts_of(dice, wanted, other)
            path = "/v1/audio/transcriptions"
        else:
            wanted, other = dice.sample(["gpt-4o-mini", "gpt-4o"], 2)
            kind, body = "application/json", forms_of(dice, wanted, other).encode()
            path = "/v1/chat/completions"
        status, _, answer = rig.get_raw(gate, "POST", path, auth | {"content-type": kind}, body)
        assert status in (200, 400, 403, 415), (status, body, answer)
        passed += status == 200
        refused += status != 200
    assert passed > 30 and refused > 60, (passed, refused)
    assert sandbox.received() == passed
    models = {entry["model"] for entry in sandbox.ledger()["entries"]}
    assert models == {"gpt-4o-mini", "whisper-1"}


def test_a_model_in_the_path_is_judged_decoded(fresh):
    gate, sandbox = fresh()
    key = gate.key("--model", "gemini-2.5-flash")["key"]
    body = json.dumps(rig.question("gemini")[1]).encode()
    headers = rig.auth("gemini", key) | {"content-type": "application/json"}
    for model, fine in (("gemini-2.5-flash", True), ("gemini-2.5-pr%6f", False), ("gemini-2.5-pro", False)):
        path = f"/v1beta/models/{model}:generateContent"
        status, _, answer = rig.get_raw(gate, "POST", path, headers, body)
        assert (status == 200) == fine, (model, answer)
    assert sandbox.received() == 1


LITELLM = {
    "sample_spec": {"input_cost_per_token": 0},
    "local-imported": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-06,
                       "output_cost_per_token": 1e-05, "max_output_tokens": 100},
    "gpt-4o-mini": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06,
                    "output_cost_per_token": 2e-06},
    "elsewhere": {"litellm_provider": "nobody", "input_cost_per_token": 1e-06},
}  # fmt: skip


def test_imported_prices_are_used_by_the_next_start_and_named_in_the_journal(fresh, tmp_path):
    gate, _ = fresh()
    key = gate.key("--budget", "1usd/total")["key"]
    assert rig.ask(gate, "openai", key, model="local-imported")[0] == 403
    path = tmp_path / "list.json"
    path.write_text(json.dumps(LITELLM))
    report = gate.cli("prices", "import", path, "--data", gate.data, "--json")
    assert report["format"] == "litellm" and report["models"] == 2
    assert [one["model"] for one in report["not_taken"]] == ["nobody/elsewhere"]
    assert any(one["model"] == "openai/gpt-4o-mini" for one in report["moved"])
    assert gate.stop() == 0
    gate.start()
    assert rig.ask(gate, "openai", key, model="local-imported")[0] == 200
    assert rig.ask(gate, "openai", key)[0] == 200
    rig.until(lambda: len([r for r in gate.journal() if r["t"] == "receipt"]) == 2)
    versions = {r["model"]: r["price_version"] for r in gate.journal() if r["t"] == "receipt"}
    assert all(version.startswith("imported:") for version in versions.values()), versions
    listed = gate.cli("prices", "list", "--data", gate.data, "--model", "local-imported", "--json")
    own = [row for row in listed["prices"] if row["provider"] == "openai"]
    assert [(row["origin"], row["input"]) for row in own] == [("imported", "2.50")]


def test_prices_check_tells_what_is_unpriced_and_what_is_free(fresh):
    free = '[[price]]\nprovider = "openai"\nmodel = "local-free"\ninput = "0"\noutput = "0"\nmax_output = 9\n'
    gate, _ = fresh(config=free)
    key = gate.key()
    for model in ("gpt-4o-mini", "local-free"):
        assert rig.ask(gate, "openai", key["key"], model=model)[0] == 200
    rig.until(lambda: gate.usage()[key["id"]]["requests"] == 2)
    options = ("--data", gate.data, "--config", gate.folder / "claviger.toml", "--json")
    report = gate.cli("prices", "check", *options)
    states = {one["model"]: (one["state"], one.get("free")) for one in report["models"]}
    assert report["ok"] and states == {"gpt-4o-mini": ("priced", False), "local-free": ("priced", True)}
    assert rig.ask(gate, "openai", key["key"], model="local-unknown")[0] == 200
    rig.until(lambda: gate.usage()[key["id"]]["requests"] == 3)
    code, out, _ = gate.run("prices", "check", *options)
    assert code == 1 and json.loads(out)["unpriced"] == ["openai/local-unknown"]


def test_a_price_list_larger_than_any_is_refused(fresh, tmp_path):
    gate, _ = fresh()
    bound = 32 * 1024 * 1024
    path = tmp_path / "list.json"
    text = json.dumps(LITELLM)
    for size, code in ((bound, 0), (bound + 1, 2)):
        path.write_text(text + " " * (size - len(text)))
        got, _, said = gate.run("prices", "import", path, "--data", gate.data, "--json")
        assert got == code, said
    assert "larger than" in said
