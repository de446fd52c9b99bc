"""Several credentials for one route, through the whole program: revoked keys, limits, faults, weights."""

import json

import rig


def secret(number):
    return rig.provider_key("openai", f"failover-{number}")


def with_three(fresh, *options):
    """A gate whose openai route has a second and a third credential; the first is openai-dev."""
    gate, sandbox = fresh()
    for number in (2, 3):
        gate.credential(f"openai-{number}", "openai", sandbox.url, secret(number), "dev", *options)
    return gate, sandbox


def receipts(gate):
    rig.until(lambda: [r for r in gate.journal() if r["t"] == "receipt"])
    return [r for r in gate.journal() if r["t"] == "receipt"]


def credential_ids(gate):
    listed = gate.cli("credential", "list", "--data", gate.data, "--json")["credentials"]
    return {one["name"]: one["id"] for one in listed}


def test_a_revoked_key_is_noticed_and_no_client_hears_of_it(fresh):
    gate, sandbox = with_three(fresh)
    key = gate.key("--budget", "1usd/day")
    sandbox.revoke(rig.provider_key("openai"))
    for _ in range(5):
        status, _, body = rig.ask(gate, "openai", key["key"])
        assert status == 200, body
    gate.nothing_in_flight()
    ids = credential_ids(gate)
    by_credential = [r["credential"] for r in receipts(gate)]
    assert by_credential.count(ids["openai-dev"]) == 2, "suspect after one refusal, benched after two"
    assert by_credential.count(ids["openai-2"]) == 5
    kinds = sorted(r["kind"] for r in gate.journal() if r["t"] == "alert")
    assert kinds == ["credential_benched", "credential_suspect"]
    rig.until(lambda: gate.settled() == sandbox.cost())
    metrics = rig.get(gate.admin + "/metrics", gate.owner_token())[1]
    assert f'claviger_credential_share{{credential="{ids["openai-dev"]}"}} 0' in metrics
    assert "claviger_failovers_total 2" in metrics


def test_limits_and_faults_of_the_provider_go_on_to_the_next_credential(fresh):
    for fault in ("status=429*1,retry_after=2000", "status=500*1", "status=503*1", "status=529*1"):
        gate, sandbox = with_three(fresh)
        key = gate.key("--budget", "1usd/day")
        status, _, body = rig.ask(gate, "openai", key["key"], extra={"x-sandbox-fault": fault})
        assert status == 200, (fault, body)
        gate.nothing_in_flight()
        assert sandbox.received() == 2
        requests = [r["req"] for r in receipts(gate)]
        assert requests[1] == requests[0] + ".2"
        assert [r.get("cost_nanousd", 0) == 0 for r in receipts(gate)] == [True, False]
        rig.until(lambda: gate.settled() == sandbox.cost())


def test_upstream_requests_of_one_request_are_bounded_and_the_last_answer_is_told(fresh):
    gate, sandbox = with_three(fresh)
    gate.credential("openai-4", "openai", sandbox.url, secret(4))
    key = gate.key()
    status, _, body = rig.ask(gate, "openai", key["key"], extra={"x-sandbox-fault": "status=503"})
    assert status == 503 and b"told to fail" in body
    assert sandbox.received() == 3


def test_a_stream_that_began_is_never_tried_again(fresh):
    gate, sandbox = with_three(fresh)
    key = gate.key("--budget", "1usd/day")
    _, _, body = rig.ask(gate, "openai", key["key"], stream=True, extra={"x-sandbox-fault": "cut=300"})
    assert b'"error"' in body
    assert sandbox.received() == 1
    status, _, _ = rig.ask(gate, "openai", key["key"], extra={"x-sandbox-fault": "drop"})
    assert status == 502
    assert sandbox.received() == 2, "what may have reached the provider is not sent again"


def test_order_and_weight_can_be_set_and_set_again(fresh):
    gate, sandbox = with_three(fresh)
    gate.cli("credential", "set", "--data", gate.data, "openai-dev", "--priority", "5")
    gate.cli("credential", "set", "--data", gate.data, "openai-2", "--weight", "1")
    shown = gate.cli("credential", "set", "--data", gate.data, "openai-3", "--weight", "1", "--json")
    assert (shown["priority"], shown["weight"]) == (0, 1)
    key = gate.key()
    for _ in range(40):
        assert rig.ask(gate, "openai", key["key"])[0] == 200
    gate.nothing_in_flight()
    ids = credential_ids(gate)
    counts = {name: sum(r["credential"] == id_ for r in receipts(gate)) for name, id_ in ids.items()}
    assert counts["openai-dev"] == 0
    assert counts["openai-2"] > 5 and counts["openai-3"] > 5
    code, _, err = gate.run("credential", "set", "--data", gate.data, "openai-3", "--weight", "1001")
    assert code == 2 or code == 3, err
    assert "0 to 1000" in err


def test_fifty_at_once_over_a_dying_key_cost_what_the_provider_counts(fresh):
    gate, sandbox = with_three(fresh)
    key = gate.key("--budget", "1usd/day")
    sandbox.revoke(rig.provider_key("openai"))
    sandbox.revoke(secret(2))

    async def all_of_them():
        raw = rig.ask_bytes("openai", key["key"])
        return await rig.gather([rig.exchange(gate.port, raw) for _ in range(50)])

    answers = [rig.parse_answer(raw) for raw in rig.asyncio.run(all_of_them())]
    assert [status for status, _, _ in answers] == [200] * 50
    for _, _, body in answers:
        assert json.loads(body)["usage"]["total_tokens"] > 0
    gate.nothing_in_flight()
    rig.until(lambda: gate.settled() == sandbox.cost())
