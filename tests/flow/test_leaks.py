"""Reports of leaks: who may bring them, what is recognised, and what is locked before the answer comes."""

import asyncio
import base64
import hashlib
import hmac
import json
import subprocess
import time
import urllib.request

import leaks
import rig
from recorder import Recorder
from test_life import cut_after, long_stream
from test_providers import service_account

SECRET = "a-webhook-secret-of-some-length"


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def report(gate, *hashes, **more):
    return gate.socket_request("POST", "/api/v1/leaks", {"sha256": list(hashes)} | more)


def show(gate, incident):
    return gate.cli("incident", "show", "--data", gate.data, incident, "--json")


def code_of(gate, key, dialect="openai"):
    status, _, body = rig.ask(gate, dialect, key)
    return status if status == 200 else json.loads(body)["error"]["code"]


def test_a_leaked_key_is_locked_before_the_report_is_answered(fresh):
    gate, _ = fresh()
    key = gate.key()
    assert code_of(gate, key["key"]) == 200
    answer = gate.cli(
        "leak", "report", "--data", gate.data, "--sha256", sha256(key["key"]), "--source", "a paste",
        "--place", "https://paste.example/1", "--json",
    )  # fmt: skip
    assert [set(one) for one in answer["incidents"]] == [{"id", "subject", "state"}]
    incident = answer["incidents"][0]
    assert incident["subject"] == f"key:{key['id']}" and incident["state"] == "contained"
    assert code_of(gate, key["key"]) == "frozen_key"
    shown = show(gate, incident["id"])
    assert shown["containment"] == "frozen" and shown["opens"] is False
    assert shown["places"][0]["place"] == "https://paste.example/1" and shown["source"] == "a paste"


def test_the_streams_of_a_leaked_key_are_cut(fresh):
    gate, _ = fresh()
    key = gate.key()
    raw = long_stream(gate, key["key"])
    got, _ = asyncio.run(cut_after(gate, raw, lambda: report(gate, sha256(key["key"]))))
    assert b"stream_cut" in got and b"[DONE]" not in got
    rig.until(lambda: any(r.get("outcome") == "cut_by_revocation" for r in gate.journal()))


def test_what_is_not_ours_opens_no_incident(fresh):
    gate, _ = fresh()
    answer = report(gate, sha256("somebody else's"), sha256("clv_nothing"))
    assert answer == {"incidents": [], "unknown": 2}
    assert gate.cli("incident", "list", "--data", gate.data, "--json")["incidents"] == []


def test_a_secret_that_leaked_before_it_came_here_is_an_incident_when_it_comes(fresh):
    gate, sandbox = fresh()
    secret = rig.provider_key("openai", "seen before")
    assert report(gate, sha256(secret), first_exposed="2026-01-01T00:00:00Z")["unknown"] == 1
    gate.credential("late", "openai", sandbox.url, secret, "staging")
    found = gate.cli("incident", "list", "--data", gate.data, "--json")["incidents"]
    assert [one["name"] for one in found] == ["late"]
    assert found[0]["first_exposed"].startswith("2026-01-01")


def test_what_is_locked_is_not_unlocked_while_its_secret_stands(fresh):
    gate, _ = fresh()
    key = gate.key()
    incident = report(gate, sha256(key["key"]))["incidents"][0]["id"]
    code, _, err = gate.run("key", "unfreeze", "--data", gate.data, key["id"])
    assert code == 1 and incident in err
    gate.cli("incident", "close", "--data", gate.data, incident, "--resolution", "harmless")
    gate.cli("key", "unfreeze", "--data", gate.data, key["id"])
    assert code_of(gate, key["key"]) == 200


def test_an_old_token_locks_nothing_that_works(fresh):
    gate, _ = fresh()
    key = gate.key()
    new = gate.cli("key", "rotate", "--data", gate.data, key["id"], "--json")
    answer = report(gate, sha256(key["key"]))
    shown = show(gate, answer["incidents"][0]["id"])
    assert (shown["containment"], shown["version"]) == ("opened_nothing", 1)
    assert code_of(gate, new["key"]) == 200


def test_a_token_in_its_grace_still_opens_and_is_locked(fresh):
    gate, _ = fresh()
    key = gate.key()
    gate.cli("key", "rotate", "--data", gate.data, key["id"], "--grace", "1h", "--json")
    assert code_of(gate, key["key"]) == 200
    report(gate, sha256(key["key"]))
    assert code_of(gate, key["key"]) == "frozen_key"


def test_a_repetition_changes_nothing(fresh):
    gate, _ = fresh()
    key = gate.key()
    first = report(gate, sha256(key["key"]), places=["a"])
    assert [report(gate, sha256(key["key"]), places=["a"])["incidents"][0]["id"] for _ in range(3)] == [
        first["incidents"][0]["id"]
    ] * 3
    shown = show(gate, first["incidents"][0]["id"])
    assert shown["reports"] == 4 and len(shown["places"]) == 1
    assert len(gate.cli("incident", "list", "--data", gate.data, "--json")["incidents"]) == 1


def test_a_credential_is_withdrawn_when_another_carries_its_traffic(fresh):
    gate, sandbox = fresh()
    leaked = rig.provider_key("openai", "spare")
    gate.credential("openai-spare", "openai", sandbox.url, leaked)
    answer = report(gate, sha256(leaked))
    shown = show(gate, answer["incidents"][0]["id"])
    assert shown["subject"].startswith("credential:") and shown["containment"] == "withdrawn"
    assert code_of(gate, gate.key()["key"]) == 200


def test_the_only_credential_carries_on_until_it_is_replaced_or_somebody_orders_otherwise(fresh):
    gate, _ = fresh()
    answer = report(gate, sha256(rig.provider_key("openai")))
    incident = answer["incidents"][0]
    assert incident["state"] == "detected"
    key = gate.key()["key"]
    assert code_of(gate, key) == 200
    shown = gate.cli("incident", "contain", "--data", gate.data, incident["id"], "--json")
    assert shown["state"] != "detected" and shown["containment"] == "withdrawn"
    assert code_of(gate, key) != 200


def test_revoke_first_withdraws_the_only_credential_at_once(fresh):
    gate, _ = fresh(config='[incident]\ncontain = "revoke_first"\n')
    answer = report(gate, sha256(rig.provider_key("openai")))
    assert answer["incidents"][0]["state"] == "contained"
    assert code_of(gate, gate.key()["key"]) != 200


def test_old_and_destroyed_versions_are_recognised_and_opened_nothing(fresh):
    gate, sandbox = fresh()
    first, second = rig.provider_key("openai", "1"), rig.provider_key("openai", "2")
    gate.credential("extra", "openai", sandbox.url, first, "staging")
    gate.cli("credential", "update", "--data", gate.data, "extra", "--secret-stdin", stdin=second)
    shown = show(gate, report(gate, sha256(first))["incidents"][0]["id"])
    assert (shown["containment"], shown["version"]) == ("opened_nothing", 1)
    gate.cli("credential", "destroy", "--data", gate.data, "extra")
    shown = show(gate, report(gate, sha256(second))["incidents"][0]["id"])
    assert (shown["containment"], shown["version"]) == ("opened_nothing", 2)
    rig.until(lambda: show(gate, shown["id"])["state"] == "replaced")


def test_a_thousand_leaks_at_once_are_locked_together(fresh):
    gate, _ = fresh()
    body = {"name": "one of many", "project": "p", "environment": "dev"}
    keys = [gate.socket_request("POST", "/api/v1/keys", body) for _ in range(1000)]
    answer = report(gate, *[sha256(key["key"]) for key in keys], places=[f"file:{i}" for i in range(1000)])
    assert {one["subject"] for one in answer["incidents"]} == {f"key:{key['id']}" for key in keys}
    assert {one["state"] for one in answer["incidents"]} == {"contained"}
    for key in keys[::100]:
        assert code_of(gate, key["key"]) == "frozen_key"
    shown = show(gate, answer["incidents"][7]["id"])
    assert len(shown["places"]) == 1


def test_a_developer_reports_and_is_not_told_of_production(fresh):
    gate, _ = fresh()
    token = gate.socket_request("POST", "/api/v1/tokens", {"name": "dev", "role": "developer"})["token"]
    mine, theirs = gate.key(), gate.key(environment="prod")
    body = {"sha256": [sha256(mine["key"]), sha256(theirs["key"])]}
    status, answer, _ = rig.get(gate.admin + "/api/v1/leaks", token, "POST", body)
    assert status == 200 and [one["subject"] for one in answer["incidents"]] == [f"key:{mine['id']}"]
    assert len(gate.cli("incident", "list", "--data", gate.data, "--json")["incidents"]) == 2
    auditor = gate.socket_request("POST", "/api/v1/tokens", {"name": "audit", "role": "auditor"})["token"]
    assert rig.get(gate.admin + "/api/v1/leaks", auditor, "POST", body)[0] == 403
    assert rig.get(gate.admin + "/api/v1/incidents", auditor)[0] == 200


def test_what_is_no_report_is_refused_with_its_field(fresh):
    gate, _ = fresh()
    for body, word in [
        ({"sha256": []}, "sha256"),
        ({"sha256": ["abc"]}, "64 hex"),
        ({"sha256": ["0" * 64, "clv_no_hash"]}, "number 2 of 2"),
        ({"sha256": ["0" * 64] * 1001}, "1000"),
        ({"sha256": ["0" * 64], "first_exposed": "yesterday"}, "first_exposed"),
        ({"sha256": ["0" * 64], "places": "here"}, "places"),
        ({"leaks": []}, "leaks"),
    ]:
        status, answer, _ = rig.get(gate.admin + "/api/v1/leaks", gate.owner_token(), "POST", body)
        assert status == 400 and word in answer["detail"], answer
        assert "clv_no_hash" not in json.dumps(answer), "what is no hash may be the secret"
    words = ("leak", "report", "--data", gate.data, "--sha256", "0" * 64, "--first-exposed")
    code, _, err = gate.run(*words, "2199-01-01T00:00:00Z")
    assert code == 2 and "lies in the future" in err, err
    assert gate.run(*words, "2026-01-01T00:00:00Z")[0] == 0


def test_a_leaked_key_in_grace_is_not_thawed_and_the_refusal_says_why(fresh):
    gate, _ = fresh()
    key = gate.key()
    report(gate, sha256(key["key"]))
    gate.cli("key", "rotate", "--data", gate.data, key["id"], "--grace", "5m", "--json")
    code, out, err = gate.run("key", "unfreeze", "--data", gate.data, key["id"])
    assert code == 1 and "without a grace" in out + err, (out, err)


def test_a_scan_reports_what_it_finds(fresh, tmp_path):
    gate, _ = fresh()
    key = gate.key()
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "settings.py").write_text(f"KEY = '{key['key']}'\nOTHER = '{leaks.openai_key()}'\n")
    code, _, err = leaks.scan(tree, "--match", gate.data, "--report")
    assert code == 1, err
    assert code_of(gate, key["key"]) == "frozen_key"
    shown = gate.cli("incident", "list", "--data", gate.data, "--json")["incidents"]
    assert len(shown) == 1
    assert show(gate, shown[0]["id"])["places"][0]["place"].startswith("settings.py:1")


def test_a_pair_and_a_document_are_recognised_by_what_leaks_of_them(fresh, tmp_path):
    """AWS keys leak as two variables, documents in any layout; an id alone is no leak."""
    gate, sandbox = fresh()
    key_id, secret = "AKIAQ7RN5T2WJH3LM4XD", leaks.letters("aws", 40)
    region = ["--parameter", "region=us-east-1"]
    gate.credential("aws", "bedrock", sandbox.url, f"{key_id}:{secret}", "dev", *region)
    account = service_account(sandbox.url + "/token")
    gate.credential("google", "gemini", sandbox.url, json.dumps(account), "dev")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "ids.env").write_text(f"AWS_ACCESS_KEY_ID={key_id}\n")
    assert leaks.scan(tree, "--match", gate.data, "--report")[0] == 1
    assert gate.cli("incident", "list", "--data", gate.data, "--json")["incidents"] == []
    (tree / "prod.env").write_text(f"AWS_ACCESS_KEY_ID={key_id}\nAWS_SECRET_ACCESS_KEY={secret}\n")
    other_layout = json.dumps(account | {"universe_domain": "googleapis.com"}, indent=4)
    (tree / "account.json").write_text(other_layout)
    code, report, err = leaks.scan(tree, "--match", gate.data, "--report")
    assert code == 1, err
    found = gate.cli("incident", "list", "--data", gate.data, "--json")["incidents"]
    assert sorted(one["name"] for one in found) == ["aws", "google"], (found, report)


def test_a_canary_key_is_an_incident_when_it_is_used(fresh):
    gate, sandbox = fresh()
    left_alone, key = gate.key("--canary"), gate.key("--canary")
    before = sandbox.received()
    assert code_of(gate, key["key"]) == "budget_exceeded"
    rig.until(lambda: code_of(gate, key["key"]) == "frozen_key", patience=20)
    incidents = gate.cli("incident", "list", "--data", gate.data, "--json")["incidents"]
    assert [(one["subject"], one["proof"]) for one in incidents] == [(f"key:{key['id']}", "canary")]
    assert code_of(gate, left_alone["key"]) == "budget_exceeded" and sandbox.received() == before


def hook(gate, body, headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(
        gate.admin + "/api/v1/hooks/github", data=data, method="POST",
        headers={"content-type": "application/json"} | headers(data),
    )  # fmt: skip
    try:
        answer = urllib.request.urlopen(request, timeout=rig.PATIENCE)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, json.loads(answer.read())


def signed(secret=SECRET, delivery="d-1", event="secret_scanning_alert"):
    def headers(data):
        mac = hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
        names = {"x-github-delivery": delivery, "x-github-event": event}
        return names | {"x-hub-signature-256": f"sha256={mac}"}

    return headers


def alert(secret, age_s=0, **more):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - age_s))
    where = "https://github.com/o/r/security/7"
    alert = {"number": 7, "created_at": at, "html_url": where, "secret_type": "x"}
    if secret:
        alert["secret"] = secret
    return {"action": "created", "alert": alert | more, "repository": {"full_name": "o/r"}}


def with_hook(fresh, tmp_path, more=""):
    secret = tmp_path / "hook-secret"
    secret.write_text(SECRET + "\n")
    return fresh(config=f'[hooks.github]\nsecret_file = "{secret}"\n{more}')[0]


def test_githubs_alert_locks_a_key_and_is_taken_once(fresh, tmp_path):
    gate = with_hook(fresh, tmp_path)
    key = gate.key()
    body = alert(key["key"])
    status, answer = hook(gate, body, signed())
    assert status == 200 and answer["incidents"][0]["subject"] == f"key:{key['id']}", answer
    assert code_of(gate, key["key"]) == "frozen_key"
    assert hook(gate, body, signed())[0] == 409
    assert hook(gate, body, signed(delivery="d-2"))[0] == 409  # its name is not under the signature
    ping = signed(delivery="d-3", event="ping")
    assert hook(gate, {"zen": "x"}, ping) == (200, {"incidents": [], "unknown": 0})


def test_forged_and_old_deliveries_are_refused_and_do_nothing(fresh, tmp_path):
    gate = with_hook(fresh, tmp_path)
    key = gate.key()
    body = alert(key["key"])
    for headers in (
        signed("another-secret-of-some-length"),
        lambda data: {},
        lambda data: {"x-hub-signature-256": "sha256=" + "0" * 64},
        lambda data: {"x-hub-signature-256": "sha1=" + "0" * 40},
        lambda data: signed()(data + b" "),
        lambda data: {"github-public-key-identifier": "x", "github-public-key-signature": "eA=="},
    ):
        assert hook(gate, body, headers)[0] == 401
    assert hook(gate, alert(key["key"], age_s=4 * 86400), signed())[0] == 401
    assert hook(gate, alert(key["key"], age_s=-3600), signed())[0] == 401
    assert hook(gate, b"[", signed())[0] == 400
    assert code_of(gate, key["key"]) == 200
    bare, _ = fresh()
    assert hook(bare, body, signed())[0] == 404


def test_an_alert_that_does_not_show_its_secret_becomes_an_alert_of_ours(fresh, tmp_path):
    gate = with_hook(fresh, tmp_path)
    assert hook(gate, alert(None), signed())[0] == 200

    def unread():
        alerts = rig.get(gate.admin + "/api/v1/alerts", gate.owner_token())[1]["alerts"]
        return [one for one in alerts if one["kind"] == "leak_unread"]

    found = rig.until(unread)
    assert "https://github.com/o/r/security/7" in found[0]["message"]


def test_an_alert_that_does_not_show_its_secret_is_read_with_a_token(fresh, tmp_path):
    github = Recorder()
    (tmp_path / "token").write_text("ghp_made_up_token_of_some_length\n")
    more = f'token_file = "{tmp_path}/token"\napi_url = "{github.url}"\n'
    gate = with_hook(fresh, tmp_path, more + '[outside]\nprivate_hosts = ["127.0.0.1"]\n')
    key = gate.key()
    github.answer = alert(key["key"])["alert"]
    assert hook(gate, alert(None), signed())[0] == 200
    rig.until(lambda: code_of(gate, key["key"]) == "frozen_key")
    method, path, headers, _ = github.requests[0]
    assert (method, path.partition("?")[0]) == ("GET", "/repos/o/r/secret-scanning/alerts/7")
    assert headers["authorization"] == "Bearer ghp_made_up_token_of_some_length"
    [incident] = gate.cli("incident", "list", "--data", gate.data, "--json")["incidents"]
    assert show(gate, incident["id"])["places"][0]["place"] == "https://github.com/o/r/security/7"
    assert incident["first_exposed"] <= incident["detected"]
    time.sleep(1.5)  # it is read once
    assert len(github.requests) == 1
    told = gate.process.text() + "".join(json.dumps(line) for line in gate.journal())
    assert key["key"] not in told and "ghp_" not in told
    github.stop()


def test_the_partner_programme_is_believed_by_its_key(fresh, tmp_path):
    private, public = tmp_path / "p.pem", tmp_path / "pub.pem"
    make = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", private]
    subprocess.run(make, check=True)
    show_public = ["openssl", "ec", "-in", private, "-pubout", "-out", public]
    subprocess.run(show_public, check=True, capture_output=True)

    def by_key(data):
        (tmp_path / "m").write_bytes(data)
        done = subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", private, tmp_path / "m"], check=True, capture_output=True
        )
        signature = base64.b64encode(done.stdout).decode()
        return {"github-public-key-identifier": "k1", "github-public-key-signature": signature}

    gate = with_hook(fresh, tmp_path, f'[[hooks.github.key]]\nid = "k1"\npem_file = "{public}"\n')
    key = gate.key()
    body = [
        {"token": key["key"], "type": "claviger_key", "url": "https://github.com/o/r/x", "source": "content"},
        {"token": "clv_notavalidone", "type": "claviger_key", "url": "u", "source": "content"},
    ]
    forged = lambda data: by_key(data + b" ")  # noqa: E731
    assert hook(gate, body, forged)[0] == 401
    status, answer = hook(gate, body, by_key)
    assert status == 200 and [one["subject"] for one in answer["incidents"]] == [f"key:{key['id']}"]
    assert code_of(gate, key["key"]) == "frozen_key"
    assert hook(gate, body, by_key)[0] == 409  # ECDSA signs anew, the body is the same
    assert len(gate.cli("incident", "list", "--data", gate.data, "--json")["incidents"]) == 1
