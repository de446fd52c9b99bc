"""Known or not: the inventory recognises its own secrets by their hash; providers are asked on demand."""

import http.server
import json
import os
import threading

import leaks
import rig


def plant(folder, **secrets):
    folder.mkdir()
    for name, secret in secrets.items():
        (folder / name).write_text(f"key = '{secret}'\n")
    return folder


def known(*arguments, env=None):
    code, report, err = leaks.scan(*arguments, env=env)
    return code, {f["file"]: f["known"] for f in report["findings"]}, err


def test_credentials_and_keys_current_and_old_are_recognised(fresh, tmp_path):
    gate, _ = fresh()
    first, second, other = leaks.openai_key("1"), leaks.openai_key("2"), leaks.openai_key("not ours")
    gate.credential("prod-key", "openai", "http://127.0.0.1:9", first, "dev", "--owner", "ada")
    gate.cli("credential", "update", "--data", gate.data, "prod-key", "--secret-stdin", stdin=second)
    issued = gate.key("--team", "core", name="bot")
    rotated = gate.cli("key", "rotate", "--data", gate.data, issued["id"], "--json")
    tree = plant(tmp_path / "tree", a=first, b=second, c=other, d=issued["key"], e=rotated["key"])
    code, found, err = known(tree, "--match", gate.data)
    assert code == 1, err
    assert found["a"] | {"id": ""} == {
        "kind": "credential", "id": "", "name": "prod-key", "owner": "ada", "state": "previous", "version": 1,
        "environment": "dev",
    }  # fmt: skip
    assert (found["b"]["state"], found["b"]["version"]) == ("current", 2)
    assert found["c"] is None
    assert (found["d"]["kind"], found["d"]["id"], found["d"]["state"]) == ("key", issued["id"], "rotated")
    assert (found["e"]["state"], found["e"]["owner"], found["e"]["version"]) == ("active", "core/flow", 2)
    code, text, _ = leaks.run("scan", tree, "--match", gate.data)
    assert "ours:  credential prod-key" in text and "claviger key revoke" in text


def test_the_inventory_is_asked_offline_too_and_over_the_network_with_a_token(fresh, tmp_path):
    gate, _ = fresh()
    secret = leaks.openai_key("1")
    gate.credential("mine", "openai", "http://127.0.0.1:9", secret, "dev")
    gate.credential("theirs", "openai", "http://127.0.0.1:9", leaks.openai_key("2"), "prod")
    tree = plant(tmp_path / "tree", a=secret, b=leaks.openai_key("2"))
    for role, seen in (("auditor", {"a", "b"}), ("developer", {"a"})):
        answer = gate.socket_request("POST", "/api/v1/tokens", {"name": role, "role": role})
        token = tmp_path / role
        token.write_text(answer["token"] + "\n")
        environment = os.environ | {"CLAVIGER_ADMIN_TOKEN_FILE": str(token)}
        code, found, err = known(tree, "--match", gate.admin, env=environment)
        assert code == 1, err
        assert {name for name, what in found.items() if what} == seen
    code, _, err = leaks.scan(tree, "--match", gate.admin)
    assert code == 3 and "CLAVIGER_ADMIN_TOKEN_FILE" in err
    assert gate.stop() == 0
    assert {name for name, what in known(tree, "--match", gate.data)[1].items() if what} == {"a", "b"}
    gate.start()


def test_the_secret_is_never_sent_and_a_stolen_store_confirms_no_guess(fresh, tmp_path):
    gate, _ = fresh()
    secret = leaks.openai_key("1")
    gate.credential("mine", "openai", "http://127.0.0.1:9", secret, "dev")
    digest = leaks.sha256(secret)
    answer = gate.socket_request("POST", "/api/v1/inventory/match", {"sha256": [digest, "0" * 64]})
    assert [match["sha256"] for match in answer["matches"]] == [digest]
    assert gate.stop() == 0
    for path in gate.data.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert secret.encode() not in data, path
            assert bytes.fromhex(digest) not in data and digest.encode() not in data, path
    gate.start()


def test_an_inventory_that_cannot_be_asked_does_not_hide_the_findings(tmp_path):
    tree = plant(tmp_path / "tree", a=leaks.openai_key())
    for where in (tmp_path / "nowhere", "http://127.0.0.1:1"):
        token = tmp_path / "token"
        token.write_text("clva_x")
        environment = os.environ | {"CLAVIGER_ADMIN_TOKEN_FILE": str(token)}
        code, report, err = leaks.scan(tree, "--match", where, env=environment)
        assert code == 3 and len(report["findings"]) == 1 and "inventory" in err


def test_verify_asks_the_provider_and_believes_only_what_it_knows(tmp_path):
    sandbox = rig.Sandbox(tmp_path)
    tree = plant(tmp_path / "tree", a=leaks.openai_key(), b=leaks.anthropic_key())
    bases = ("--verify-base", f"openai={sandbox.url}", "--verify-base", f"anthropic={sandbox.url}")
    code, report, err = leaks.scan(tree, "--verify", *bases)
    verdicts = {f["file"]: f["verified"]["verdict"] for f in report["findings"]}
    assert verdicts == {"a": "valid", "b": "valid"}, report
    assert f"sends 1 key to openai at {sandbox.url}" in err
    sandbox.revoke(leaks.openai_key())
    _, report, err = leaks.scan(tree, "--verify", *bases)
    verdicts = {f["file"]: f["verified"]["verdict"] for f in report["findings"]}
    assert verdicts == {"a": "invalid", "b": "valid"}
    sandbox.stop()
    _, report, err = leaks.scan(tree, "--verify", *bases)
    assert {f["verified"]["verdict"] for f in report["findings"]} == {"unknown"}
    assert leaks.openai_key() not in err + json.dumps(report)


def test_without_verify_nothing_is_asked(tmp_path):
    sandbox = rig.Sandbox(tmp_path)
    before = sandbox.received()
    leaks.scan(plant(tmp_path / "tree", a=leaks.openai_key()))
    assert sandbox.received() == before
    sandbox.stop()


def test_reporting_to_a_server_that_takes_no_reports_is_an_error(tmp_path):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            body = b'{"matches": []}' if self.path.endswith("/match") else b"{}"
            self.send_response(200 if self.path.endswith("/match") else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tree = plant(tmp_path / "tree", a=leaks.openai_key())
    (tmp_path / "token").write_text("clva_x")
    environment = os.environ | {"CLAVIGER_ADMIN_TOKEN_FILE": str(tmp_path / "token")}
    where = f"http://127.0.0.1:{server.server_address[1]}"
    code, report, err = leaks.scan(tree, "--match", where, "--report", env=environment)
    assert code == 3 and len(report["findings"]) == 1 and "reports of leaks" in err
    server.shutdown()
