"""Every class of rotation from end to end, against the double of its provider's own admin API."""

import datetime
import json
import subprocess
from dataclasses import dataclass, field

import pytest

import rig
from test_rotation import ADMIN, House, sha256

CONFIG = """
[rotation]
probe_every = "1s"
verify_within = "10s"
list_settle = "2s"
keep_old = "1s"
keep_dead = "2s"
[[price]]
provider = "bedrock"
models = ["anthropic.*"]
input = "1"
cache_read = "0.1"
cache_write_5m = "1.25"
output = "5"
max_output = 4096
context = 200000
[[price]]
provider = "openrouter"
models = ["gpt-4o-mini"]
input = "1"
output = "2"
max_output = 8000
context = 128000
[provider.cloudflare]
dialect = "openai"
base_url = "https://api.cloudflare.com/client/v4"
"""
AWS = f"AKIASANDBOXADMIN:{ADMIN}"
SOME_UUID = "00000000-0000-4000-8000-0000000000bb"
CLAUDE = "anthropic.claude-haiku-4-5-v1:0"
REGION = ["--parameter", "region=us-east-1"]


def console(provider, **more):
    """A key that a person has made, whose id the link names."""

    def make(sandbox):
        body = {"provider": provider, "name": "by hand"} | more
        status, made, _ = rig.get(sandbox.url + "/_sandbox/console", method="POST", body=body)
        assert status == 200, made
        return made["secret"], ["--param", f"key_id={made['id']}"]

    return make


def by_iam(action, secret_of, knows_id):
    """A key made by IAM's own API, signed by curl."""

    def make(sandbox):
        form = f"Action={action}&Version=2010-05-08&UserName=bot&ServiceName=bedrock.amazonaws.com"
        text = subprocess.run(
            ["curl", "-fsS", "--aws-sigv4", "aws:amz:us-east-1:iam", "--user", AWS, "-d", form, sandbox.url],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip

        def tag(name):
            return text.partition(f"<{name}>")[2].partition(f"</{name}>")[0]

        return secret_of(tag), [] if knows_id else ["--param", f"key_id={tag('ServiceSpecificCredentialId')}"]

    return make


def azure_slot(sandbox):
    where = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/listKeys"
    status, keys, _ = rig.get(sandbox.url + where + "?api-version=2025-09-01", ADMIN, "POST", {})
    assert status == 200
    return keys["key1"], []


def params(**given):
    return [word for name, value in given.items() for word in ("--param", f"{name}={value}")]


@dataclass
class Kind:
    provider: str
    cls: str
    params: list
    lost: str  # a piece of the path that creates
    old: object = None
    admin: str = ADMIN
    options: list = field(default_factory=list)
    call: tuple = ()  # path and body of a call
    live: int = 1  # keys that live at the provider afterwards


CHAT = {"model": "gpt-4o-mini", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
CONVERSE = {
    "messages": [{"role": "user", "content": [{"text": "hi"}]}],
    "inferenceConfig": {"maxTokens": 9},
}
GENERATE = {
    "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
    "generationConfig": {"maxOutputTokens": 9},
}
KINDS = {
    "google": Kind(
        "gemini", "create", params(project_number="42"), "/locations/global/keys", call=(
            "/v1beta/models/gemini-2.5-flash:generateContent", GENERATE),
        old=console("gemini", owner="42")),
    "openrouter": Kind(
        "openrouter", "create", [], "/v1/keys", call=("/p/main/v1/chat/completions", CHAT),
        old=console("openrouter")),
    "pinecone": Kind(
        "pinecone", "create", params(project_id="00000000-0000-4000-8000-0000000000aa"), "/api-keys",
        old=console("pinecone", owner="00000000-0000-4000-8000-0000000000aa")),
    "mistral": Kind(
        "mistral", "create", params(workspace_uuid=SOME_UUID, user_id=SOME_UUID), "/v1/admin/api-keys",
        call=("/p/main/v1/chat/completions", CHAT | {"model": "mistral-small-2603"}),
        old=console("mistral")),
    "fireworks": Kind(
        "fireworks", "create", params(account_id="sandbox", user_id="bot"), "/apiKeys",
        old=console("fireworks")),
    "cloudflare": Kind(
        "cloudflare", "create", params(account_id="sandbox", policies='[{"effect":"allow"}]'), "/tokens",
        old=console("cloudflare")),
    "aws": Kind(
        "bedrock", "create", params(variant="access_key", user_name="bot"), "=CreateAccessKey", admin=AWS,
        options=REGION, call=(f"/p/main/model/{CLAUDE}/converse", CONVERSE),
        old=by_iam("CreateAccessKey", lambda tag: f"{tag('AccessKeyId')}:{tag('SecretAccessKey')}", True)),
    "bedrock": Kind(
        "bedrock", "create", params(user_name="bot"), "=CreateService", admin=AWS,
        options=REGION, call=(f"/p/main/model/{CLAUDE}/converse", CONVERSE),
        old=by_iam("CreateServiceSpecificCredential", lambda tag: tag("ServiceCredentialSecret"), False)),
    "azure": Kind(
        "azure_openai", "slots", params(subscription_id="s", resource_group="g", account="a"),
        "/regenerateKey", old=azure_slot, options=["--parameter", "deployment.gpt-4o-mini=gpt-4o-mini"],
        call=("/p/main/v1/chat/completions", CHAT), live=2),
    "xai": Kind(
        "x-ai", "in_place", params(team_id="team_sandbox"), "/rotate",
        call=("/p/main/v1/chat/completions", CHAT | {"model": "grok-4"}), old=console("x-ai")),
}  # fmt: skip
every_kind = pytest.mark.parametrize("name", KINDS)


class ClassHouse(House):
    def __init__(self, folder, kind):
        self.kind = kind
        super().__init__(
            folder, kind.provider, kind.params, CONFIG, kind.admin, old=kind.old, options=kind.options
        )

    def call(self):
        """The status of one call through the gate; 200 where the double answers none."""
        if not self.kind.call:
            return 200
        path, body = self.kind.call
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        if self.kind.provider == "gemini":
            headers = rig.auth("gemini", self.key) | {"content-type": "application/json"}
        return rig.get_raw(self.gate, "POST", path, headers, json.dumps(body).encode())[0]

    def credential(self):
        return self.cli("credential show", "main")

    def states(self):
        return [version["state"] for version in self.credential()["versions"]]

    def is_left(self, rotation):
        """At the provider lives what should, and the old secret is worth nothing."""
        live = self.live()
        assert len(live) == self.kind.live, live
        if self.kind.cls == "create":
            assert [key["id"] for key in live] == [rotation["new_key"]], live
        assert sha256(self.old) not in [key["secret_sha256"] for key in live]
        assert self.call() == 200


@pytest.fixture
def kinds(tmp_path):
    made = []

    def make(name):
        made.append(ClassHouse(tmp_path / str(len(made)), KINDS[name]))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@every_kind
def test_a_key_is_replaced_while_calls_go_on_confirmed_and_its_secret_destroyed(kinds, name):
    it = kinds(name)
    assert it.call() == 200
    it.manners(create_delay_ms=1200, delete_delay_ms=1500, disable_delay_ms=1500, list_lag_ms=300)
    begun = it.rotate("--now")
    failed = []
    while not it.show(begun)["over"]:
        if it.call() != 200:
            failed.append(it.show(begun)["state"])
    done = it.show(begun)
    assert failed == [] and (done["state"], done["class"]) == ("done", it.kind.cls), (failed, done)
    assert done["promoted"] and done["confirmed"], done
    it.is_left(done)
    it.reaches(done, "closed")
    assert it.states() == ["destroyed", "current"]


def test_a_secret_is_not_used_before_it_is_known_everywhere(kinds):
    it = kinds("xai")
    it.manners(spread_ms=5000)
    done = it.reaches(it.rotate("--now"), "confirming", "done")
    at = {step["step"]: datetime.datetime.fromisoformat(step["at"]) for step in done["steps"]}
    assert (at["draining"] - at["verifying"]).total_seconds() >= 4.9, done["steps"]
    assert it.call() == 200


def test_a_secret_whose_way_cannot_be_told_is_used_after_a_while_and_the_rotation_says_so(kinds):
    it = kinds("xai")
    it.sandbox.script([{"match": "/propagation", "method": "GET", "fault": "status=500"}])
    begun = it.rotate("--now")
    rig.until(lambda: "cannot be told" in (it.show(begun)["trouble"] or ""))
    assert it.show(begun)["state"] == "verifying"
    it.reaches(begun, "confirming", "done")
    assert it.call() == 200


def test_a_leaked_secret_in_place_is_not_dead_because_its_rotation_has_failed(kinds):
    it = kinds("xai")
    it.manners(spread_ms=60_000)
    begun = it.rotate("--now")
    it.reaches(begun, "verifying")
    it.sandbox.script([{"match": "/rotate", "method": "POST", "fault": "status=403"}])
    [fresh] = [key["secret_sha256"] for key in it.live()]
    leak = it.cli("leak report", "--sha256", fresh, "--source", "a paste")["incidents"][0]["id"]
    rotation = rig.until(lambda: (lambda now: now["state"] == "failed" and now)(it.show(begun)), step=0.1)
    assert rotation["left"][0]["version"] == 2 and "begin anew" in rotation["trouble"], rotation
    shown = rig.until(lambda: (lambda now: now["rotation_problem"] and now)(it.cli("incident show", leak)))
    assert "may still accept it" in shown["rotation_problem"] and shown["state"] != "replaced"
    it.sandbox.script([])
    it.manners(spread_ms=0)
    again = it.cli("rotation resume", begun["id"])
    it.reaches(again, "done")
    rig.until(lambda: it.cli("incident show", leak)["state"] == "replaced", step=0.1)
    assert fresh not in [key["secret_sha256"] for key in it.live()]
    assert it.show(begun)["left"] == []


@every_kind
def test_a_lost_answer_and_kill_9_leave_no_orphan_and_no_secret_behind(kinds, name):
    it = kinds(name)
    assert it.call() == 200
    it.sandbox.script([{"match": it.kind.lost, "method": "POST", "fault": "lost", "times": 1}])
    begun = it.rotate("--now")
    it.reaches(begun, "verifying", "draining", "revoking", "confirming")
    it.gate.process.kill()
    it.gate.start()
    assert it.call() == 200
    # A secret in place whose answer was lost dies a minute after it was replaced, and is waited for.
    done = it.reaches(begun, "done", patience=2 * rig.PATIENCE)
    it.is_left(done)


def test_a_key_that_a_rotation_has_made_is_known_whatever_the_link_says(kinds):
    it = kinds("pinecone")
    first = it.rotate("--now", "--wait")
    second = it.rotate("--now", "--wait")
    assert second["old_key"] == first["new_key"], (first, second)
    assert [key["id"] for key in it.live()] == [second["new_key"]]


def test_the_admin_keys_that_can_be_rotated_rotate_themselves(kinds):
    it = kinds("aws")
    secret, _ = by_iam(
        "CreateAccessKey", lambda tag: f"{tag('AccessKeyId')}:{tag('SecretAccessKey')}", True
    )(it.sandbox)
    it.gate.credential("head", "bedrock", it.sandbox.url, secret, "dev", "--kind", "admin")
    it.cli("credential link", "head", "--admin-credential", "head", "--param", "user_name=bot")
    refused, _, said = it.gate.run("rotate", "--data", it.gate.data, "head", "--now", "--wait", "--json")
    # The user has two keys, "main"'s and this one: a third is not allowed, and nothing is made.
    assert refused == 1 and "no more are allowed" in said + _, (said, _)
    assert len(it.live()) == 2
