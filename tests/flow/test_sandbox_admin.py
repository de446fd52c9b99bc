"""The sandbox's admin APIs: the providers' own SDKs keep them honest, its inference plane knows the keys."""

import hashlib
import http.client
import json
import subprocess
import urllib.request

import pytest

import rig

FLOW = rig.ROOT / "tests/flow"
SECRET = "sk-admin-made-up-0123456789"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    running = rig.Sandbox(tmp_path_factory.mktemp("admin"), "--admin-key", SECRET)
    yield running
    assert running.process.stop() == 0


def drive(sandbox, sdk, secret=SECRET):
    """What the SDK got, by step."""
    done = subprocess.run(
        ["node", "admin_sdks.mjs", sdk, sandbox.url],
        cwd=FLOW, input=secret, capture_output=True, text=True, timeout=rig.PATIENCE * 2,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return {line["name"]: line["got"] for line in map(json.loads, done.stdout.splitlines())}


def chat(sandbox, key):
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
    return rig.get(sandbox.url + "/v1/chat/completions", token=key, method="POST", body=body)


def ask(sandbox, path, headers, method="GET"):
    request = urllib.request.Request(sandbox.url + path, method=method, headers=headers)
    try:
        return urllib.request.urlopen(request, timeout=rig.PATIENCE).status
    except urllib.error.HTTPError as error:
        return error.code


def state_of(sandbox, secret):
    """What the inference plane makes of a key, by the control endpoint."""
    sha = hashlib.sha256(secret.encode()).hexdigest()
    keys = rig.get(sandbox.url + "/_sandbox/admin")[1]["keys"]
    return next(key["inference"] for key in keys if key["secret_sha256"] == sha)


def test_openais_sdk_makes_lists_narrows_and_deletes_keys_and_reads_usage(sandbox):
    used = "sk-used-before-0123456789"
    answer = chat(sandbox, used)[1]
    spent = sandbox.ledger()["entries"][-1]["cost_nanousd"]
    got = drive(sandbox, "openai")
    assert got["wrong"] == 401 and got["project"] == "proj_sandbox"
    assert got["made"]["secret"].startswith("sk-svcacct-") and got["made"]["expires"]
    assert [got["made"]["id"], "one", "svc_acct_sandbox"] in got["listed"]
    assert got["narrowed"] == got["made"]["id"] and got["deleted"] is True and got["gone"] == 404
    assert got["admin"] == "next" and got["admin-deleted"] is True
    known = got["listed"][0][0]
    assert got["usage"] == [[known, "gpt-4o-mini", 1, answer["usage"]["prompt_tokens"]]]
    assert [(key, round(value * 1e9)) for key, value in got["costs"]] == [(known, spent)]
    assert state_of(sandbox, got["made"]["secret"]) == "refused"
    assert chat(sandbox, got["made"]["secret"])[0] == 401


def test_anthropics_sdk_lists_keys_and_ends_them(sandbox):
    made = {"provider": "anthropic", "name": "by hand", "owner": "wrkspc_1"}
    _, given, _ = rig.get(sandbox.url + "/_sandbox/console", method="POST", body=made)
    got = drive(sandbox, "anthropic")
    key, name, status, hint = got["listed"][0]
    assert (key, name, status) == (given["id"], "by hand", "active") and got["wrong"] == 401
    assert given["secret"].startswith(hint.split("...")[0]) and given["secret"].endswith(hint[-4:])
    assert (got["inactive"], got["active"], got["archived"]) == ("inactive", "active", "archived")
    assert state_of(sandbox, given["secret"]) == "refused"


def test_openrouters_sdk_makes_disables_and_deletes_keys(sandbox):
    got = drive(sandbox, "openrouter")
    assert got["wrong"] == 401 and got["made"]["limit"] == 25
    assert hashlib.sha256(got["made"]["secret"].encode()).hexdigest() == got["made"]["id"]
    assert [got["made"]["id"], "one"] in got["listed"]
    assert got["disabled"] is True and got["self"] == 401 and got["deleted"] is True and got["gone"] == 404


def test_pinecones_sdk_buys_a_token_and_makes_narrows_and_deletes_keys(sandbox):
    got = drive(sandbox, "pinecone")
    assert got["wrong"] is True and got["made"]["roles"] == ["ProjectEditor"]
    assert [got["made"]["id"], "one"] in got["listed"]
    assert got["narrowed"] == ["DataPlaneViewer"] and got["gone"] is True
    assert ask(sandbox, "/indexes", {"api-key": got["made"]["secret"]}) == 401


def test_the_sdk_of_aws_signs_and_reads_what_iam_answers(sandbox):
    got = drive(sandbox, "aws")
    assert got["wrong"] == 403 and got["made"]["status"] == "Active" and got["third"] == 409
    assert sorted(got["listed"]) == ["Active", "Inactive"] and got["used"] == "bot" and got["gone"] == 404
    assert got["bearer"]["expires"] is True and got["bearers"] == [True]
    bearer = {"authorization": "Bearer " + got["bearer"]["secret"]}
    assert ask(sandbox, "/foundation-models", bearer) == 403


def test_azures_sdk_regenerates_one_slot_and_leaves_the_other(sandbox):
    got = drive(sandbox, "azure")
    assert got["wrong"] == 401 and got["made"]["kept"] is True
    assert ask(sandbox, "/openai/models?api-version=2024-10-21", {"api-key": got["made"]["secret"]}) == 200
    assert ask(sandbox, "/openai/models?api-version=2024-10-21", {"api-key": got["made"]["old"]}) == 401


def test_googles_sdk_waits_for_the_operation_and_reads_the_secret_again(sandbox):
    got = drive(sandbox, "google")
    assert got["made"]["id"] == "projects/42/locations/global/keys/one"
    assert [got["made"]["id"], "one"] in got["listed"]
    assert got["wrong"] is not None and got["twice"] is not None and got["gone"] is not None
    assert ask(sandbox, "/v1beta/models", {"x-goog-api-key": got["made"]["secret"]}) == 400


def test_a_lost_answer_leaves_a_key_behind_and_a_delay_holds_for_one_change(sandbox):
    path = sandbox.url + "/v1/organization/projects/proj_sandbox/service_accounts/svc_acct_sandbox/api_keys"

    def make(name, fault):
        headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
        headers["x-sandbox-fault"] = fault
        body = json.dumps({"name": name}).encode()
        request = urllib.request.Request(path, data=body, method="POST", headers=headers)
        return urllib.request.urlopen(request, timeout=rig.PATIENCE)

    with pytest.raises((OSError, http.client.HTTPException)):
        make("lost", "lost").read()
    list_path = sandbox.url + "/v1/organization/projects/proj_sandbox/api_keys?limit=100"
    listed = rig.get(list_path, token=SECRET)[1]
    assert "lost" in [key["name"] for key in listed["data"]]
    secret = json.load(make("slow", "propagation=999999"))["value"]
    assert state_of(sandbox, secret) == "early" and chat(sandbox, secret)[0] == 401
    rig.get(sandbox.url + "/_sandbox/admin", method="POST", body={"advance_ms": 999_999})
    assert chat(sandbox, secret)[0] == 200


def test_without_an_admin_key_the_admin_paths_are_unknown(tmp_path):
    plain = rig.Sandbox(tmp_path)
    status, body, _ = rig.get(plain.url + "/v1/organization/projects", token=SECRET)
    assert status == 404 and body["error"]["code"] == "unknown_url"
    assert plain.process.stop() == 0
