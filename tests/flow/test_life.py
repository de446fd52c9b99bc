"""A gate's life: keys that lose their rights, journals that verify, starts that fail with one sentence."""

import asyncio
import json
import os
import shutil
import time

import pytest

import rig


def long_stream(gate, key):
    text = "Say something. [[sandbox:lag=50,tokens=2000]]"
    return rig.ask_bytes("openai", key, text, stream=True, max_tokens=4000)


async def cut_after(gate, raw, act, begun=None):
    """Starts a stream, acts, and returns the answer with the seconds between act and end.

    With `begun`, an asyncio.Barrier, it acts only when all its parties' streams have begun.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
    writer.write(raw)
    got = await asyncio.wait_for(reader.readuntil(b"sandbox"), rig.PATIENCE)
    if begun:
        await asyncio.wait_for(begun.wait(), rig.PATIENCE)
    await asyncio.get_running_loop().run_in_executor(None, act)
    start = time.monotonic()
    while not rig.whole(got):
        part = await asyncio.wait_for(reader.read(65536), rig.PATIENCE)
        if not part:
            break
        got += part
    writer.close()
    return got, time.monotonic() - start


@pytest.mark.parametrize("verb", ["revoke", "freeze"])
def test_a_key_that_loses_its_rights_loses_its_running_stream_within_a_second(fresh, verb):
    gate, sandbox = fresh()
    key = gate.key()

    def act():
        gate.cli("key", verb, "--data", gate.data, key["id"], "--json")

    answer, seconds = asyncio.run(cut_after(gate, long_stream(gate, key["key"]), act))
    assert seconds < 1.5, f"the stream went on for {seconds:.1f} s"  # a second, and the test's own doings
    assert b"stream_cut" in answer and b"[DONE]" not in answer
    assert rig.ask(gate, "openai", key["key"])[0] == 401
    rig.until(lambda: gate.settled() >= sandbox.cost() > 0)


def test_a_frozen_key_works_again_when_it_is_unfrozen_and_a_revoked_one_never(fresh):
    gate, _ = fresh()
    key = gate.key()
    codes = []
    for verb in ("freeze", "unfreeze", "revoke"):
        gate.cli("key", verb, "--data", gate.data, key["id"], "--json")
        status, _, body = rig.ask(gate, "openai", key["key"])
        codes.append(status if status == 200 else json.loads(body)["error"]["code"])
    assert codes == ["frozen_key", 200, "revoked_key"]
    assert gate.run("key", "unfreeze", "--data", gate.data, key["id"])[0] in (1, 3)


def test_a_rotated_key_works_on_for_its_grace_and_no_longer(fresh):
    gate, _ = fresh()
    key = gate.key()
    new = gate.cli("key", "rotate", "--data", gate.data, key["id"], "--grace", "2s", "--json")
    assert new["id"] == key["id"] and new["key"] != key["key"]
    assert rig.ask(gate, "openai", key["key"])[0] == rig.ask(gate, "openai", new["key"])[0] == 200
    rig.until(lambda: rig.ask(gate, "openai", key["key"])[0] == 401, patience=10, step=0.2)
    assert rig.ask(gate, "openai", new["key"])[0] == 200


def test_an_expired_key_is_refused(fresh):
    gate, _ = fresh()
    key = gate.key("--expires", "1s")["key"]
    rig.until(lambda: rig.ask(gate, "openai", key)[0] == 401, patience=10, step=0.2)
    assert json.loads(rig.ask(gate, "openai", key)[2])["error"]["code"] == "expired_key"


def test_keys_and_credentials_of_different_environments_do_not_meet(fresh):
    gate, sandbox = fresh()
    key = gate.key(environment="prod")["key"]
    status, _, body = rig.ask(gate, "openai", key)
    assert (status, json.loads(body)["error"]["code"]) == (403, "environment_denied")
    assert sandbox.received() == 0
    gate.add_credentials("prod", tag="prod")
    assert rig.ask(gate, "openai", key)[0] == 200
    used = {entry["key_sha256"] for entry in sandbox.ledger()["entries"]}
    assert len(used) == 1


def test_a_network_out_of_scope_is_refused_and_explained_alike(fresh):
    gate, sandbox = fresh()
    key = gate.key("--cidr", "10.0.0.0/8")
    assert json.loads(rig.ask(gate, "openai", key["key"])[2])["error"]["code"] == "network_denied"
    question = [
        "explain",
        "--data",
        gate.data,
        "--key",
        key["id"],
        "--model",
        "gpt-4o-mini",
        "--endpoint",
        "chat",
    ]
    code, out, _ = gate.run(*question, "--ip", "127.0.0.1", "--json")
    assert code == 1 and json.loads(out)["allowed"] is False
    assert json.loads(out)["rule"] == "scope.cidrs"
    assert gate.cli(*question, "--ip", "10.1.2.3", "--json")["allowed"] is True
    assert sandbox.received() == 0


def test_a_credential_can_be_disabled_rolled_back_and_destroyed_under_way(fresh):
    gate, sandbox = fresh()
    key = gate.key()["key"]
    for verb, status in (("disable", 503), ("enable", 200), ("destroy", 503)):
        gate.cli("credential", verb, "--data", gate.data, "openai-dev")
        assert rig.ask(gate, "openai", key)[0] in (status, 403 if verb == "destroy" else status)
    assert sandbox.received() == 1


def test_a_credential_that_the_provider_revoked_shows_as_the_providers_error(fresh):
    gate, sandbox = fresh()
    sandbox.revoke(rig.provider_key("openai"))
    status, _, body = rig.ask(gate, "openai", gate.key()["key"])
    assert status in (401, 502, 503), body
    assert rig.provider_key("openai")[-12:] not in body.decode()


def test_openai_compatible_servers_are_reached_by_name(fresh):
    gate, sandbox = fresh()
    gate.credential("house", "vllm", sandbox.url + "/v1", "local-secret-0123456789")
    key = gate.key()["key"]
    body = json.dumps(rig.question("openai", model="local-model")[1]).encode()
    headers = rig.auth("openai", key) | {"content-type": "application/json"}
    answers = [
        rig.parse_answer(
            asyncio.run(rig.exchange(gate.port, rig.request_bytes("POST", path, headers, body)))
        )
        for path in ("/p/house/v1/chat/completions", "/p/vllm/v1/chat/completions")
    ]
    assert 200 in [answer[0] for answer in answers], answers


def test_the_journal_verifies_and_a_changed_byte_is_found(fresh, tmp_path):
    gate, _ = fresh()
    key = gate.key()["key"]
    for dialect in rig.DIALECTS:
        assert rig.ask(gate, dialect, key)[0] == 200
    assert gate.stop() == 0
    assert gate.run("journal", "verify", "--data", gate.data, "--json")[0] == 0
    exported = gate.run("journal", "export", "--data", gate.data)[1].splitlines()
    kinds = [json.loads(line)["t"] for line in exported]
    assert kinds.count("intent") == kinds.count("receipt") == 3
    changed = tmp_path / "changed"
    shutil.copytree(gate.data, changed, ignore=shutil.ignore_patterns("*.sock"))
    segment = max((changed / "journal").rglob("gate*.jsonl"), key=lambda path: path.stat().st_size)
    text = segment.read_text()
    segment.write_text(text.replace('"cost_nanousd":', '"cost_nanousd":1', 1))
    assert segment.read_text() != text
    code, out, err = gate.run("journal", "verify", "--data", changed, "--json")
    assert code == 1, out + err
    gate.start()


def sentence(gate, code, *arguments, words, data=None, env=None):
    """A command must fail with `code` and one clear line that holds all `words`."""
    got, out, err = gate.run(*arguments)
    assert got == code, (got, out, err)
    lines = [line for line in err.splitlines() if line.strip()]
    assert 1 <= len(lines) <= 2, err
    for word in words:
        assert word in err, err
    assert "/src/" not in err and "0x" not in err
    return err


def serving(gate, *options, data=None):
    ports = (rig.free_port(), rig.free_port())
    return ["serve", "--data", data or gate.data, "--listen", f"127.0.0.1:{ports[0]}",
            "--admin", f"127.0.0.1:{ports[1]}", *options]  # fmt: skip


def test_a_data_directory_in_use_is_not_opened_twice(fresh):
    gate, _ = fresh()
    sentence(gate, 3, *serving(gate), words=["in use", str(gate.process.pid)])
    assert rig.ask(gate, "openai", gate.key()["key"])[0] == 200


def test_a_port_in_use_is_named(fresh, tmp_path):
    gate, sandbox = fresh()
    other = rig.Gate(tmp_path / "other", start=False) if (tmp_path / "other").mkdir() is None else None
    for option in ("--listen", "--admin"):
        arguments = serving(other)
        arguments[arguments.index(option) + 1] = f"127.0.0.1:{sandbox.port}"
        sentence(gate, 3, *arguments, words=[f"127.0.0.1:{sandbox.port}", "in use"])
    other.start()
    assert other.stop() == 0


def test_starts_that_cannot_succeed_say_why_and_leave_nothing_half_written(tmp_path):
    gate = rig.Gate(tmp_path, start=False)
    empty = tmp_path / "empty"
    sentence(gate, 3, *serving(gate, data=empty), words=[str(empty), "init"])
    assert not empty.exists()
    sentence(gate, 1, "init", "--data", gate.data, words=[str(gate.data)])
    key = gate.data / "root.key"
    kept = key.read_text()
    key.unlink()
    sentence(gate, 3, *serving(gate), words=["root"])
    key.write_text("0" * 64 + "\n")
    os.chmod(key, 0o600)
    got, out, err = gate.run(*serving(gate))
    assert got == 3 and err
    key.write_text(kept)
    gate.start()
    assert gate.stop() == 0


@pytest.mark.parametrize("text, words", [
    ("[server]\ntls_certs = 'x'\n", ["tls_certs", "tls_cert", "2"]),
    ("[serve]\n", ["serve", "server"]),
    ("not toml at all", ["line 1"]),
    ("[server]\npublic_metrics = 'yes'\n", ["public_metrics"]),
    ("[server]\ntls_cert = '/nonexistent.pem'\ntls_key = '/nonexistent.pem'\n", ["/nonexistent.pem"]),
    ("[[price]]\nprovider = 'openai'\nmodels = ['m']\ninput = 1.5\n", ["input"]),
    ("[provider.house]\ndialect = 'klingon'\n", ["house", "dialect"]),
])  # fmt: skip
def test_a_bad_configuration_is_refused_by_key_and_line(tmp_path, text, words):
    gate = rig.Gate(tmp_path, start=False)
    path = tmp_path / "bad.toml"
    path.write_text(text)
    sentence(gate, 3, *serving(gate, "--config", path), words=words)


def test_a_wrong_passphrase_is_refused_and_the_right_one_opens(tmp_path):
    gate = rig.Gate(tmp_path / "plain", start=False) if (tmp_path / "plain").mkdir() is None else None

    def with_passphrase(text, *arguments):
        reader, writer = os.pipe()
        os.write(writer, text.encode())
        os.close(writer)
        try:
            return gate.run(*arguments, "--passphrase-fd", reader, fds=[reader])
        finally:
            os.close(reader)

    data = tmp_path / "passphrase"
    keyfile = tmp_path / "elsewhere.key"
    done = with_passphrase("correct horse", "init", "--data", data, "--root-key-file", keyfile)
    assert done[0] == 0, done
    keyfile.unlink()
    code, out, err = with_passphrase("wrong donkey", *serving(gate, data=data))
    assert code == 3 and "passphrase" in err, (code, out, err)
    code, out, err = with_passphrase("wrong donkey", "doctor", "--data", data)
    assert code != 0, (out, err)
    assert "correct horse" not in out + err and "wrong donkey" not in out + err


def test_unknown_options_and_commands_end_with_2(tmp_path):
    gate = rig.Gate(tmp_path, start=False)
    for arguments in (
        ["explode"],
        ["serve"],
        ["key", "create", "--nonsense"],
        ["serve", "--data", "x", "--threads", "many"],
    ):
        code, out, err = gate.run(*arguments)
        assert code == 2 and err.strip(), (arguments, code, out, err)


def test_the_admin_api_needs_a_token_and_minds_roles(fresh):
    gate, _ = fresh()
    paths = [
        "/api/v1/keys",
        "/api/v1/credentials",
        "/api/v1/usage",
        "/api/v1/budgets",
        "/api/v1/tokens",
        "/metrics",
    ]
    for path in paths:
        assert rig.get(gate.admin + path)[0] == 401, path
        assert rig.get(gate.admin + path, "clva_" + "0" * 62)[0] == 401, path
        assert rig.get(gate.admin + path, gate.key()["key"])[0] == 401, "a virtual key is no admin token"
    assert rig.get(gate.admin + "/healthz")[0] == 200
    tokens = {}
    for role in ("operator", "developer", "auditor"):
        body = {"name": role, "role": role}
        tokens[role] = rig.get(gate.admin + "/api/v1/tokens", gate.owner_token(), "POST", body)[1]["token"]
    new = {"name": "made", "project": "p", "environment": "prod"}
    status, problem, _ = rig.get(gate.admin + "/api/v1/keys", tokens["auditor"], "POST", new)
    assert (status, problem["code"]) == (403, "forbidden")
    assert rig.get(gate.admin + "/api/v1/keys", tokens["developer"], "POST", new)[0] == 403
    assert rig.get(gate.admin + "/api/v1/keys", tokens["operator"], "POST", new)[0] == 201
    seen = json.dumps(rig.get(gate.admin + "/api/v1/keys", tokens["developer"])[1])
    assert "made" not in seen and "made" in json.dumps(
        rig.get(gate.admin + "/api/v1/keys", tokens["auditor"])[1]
    )
    assert (
        rig.get(gate.admin + "/api/v1/tokens", tokens["operator"], "POST", {"name": "x", "role": "owner"})[
            0
        ]
        == 403
    )


def test_the_openapi_document_names_every_route_that_answers(fresh):
    gate, _ = fresh()
    status, document, _ = rig.get(gate.admin + "/api/v1/openapi.json")
    if status != 200:
        status, document, _ = rig.get(gate.admin + "/api/v1/openapi.json", gate.owner_token())
    assert status == 200 and document["openapi"].startswith("3.1")
    assert "/api/v1/keys/{key}/rotate" in document["paths"]


def test_the_program_runs_from_anywhere_without_the_checkout(tmp_path):
    program = tmp_path / "claviger"
    shutil.copy2(rig.BIN, program)
    done = os.popen(f"cd / && env -i {program} init --data {tmp_path}/data --json && echo fine").read()
    assert done.strip().endswith("fine"), done
    assert json.loads(done.rsplit("\n", 2)[0])
