"""Rotations from outside: under load, through lost answers and kill -9; the double is the oracle."""

import asyncio
import hashlib
import http.server
import json
import os
import random
import signal
import threading
import time

import pytest

import rig

ADMIN = "sk-admin-flow0000000000000000000000000000000000"
QUICK = '[rotation]\nprobe_every = "1s"\nlist_settle = "2s"\nkeep_old = "1s"\n'
OPENAI = ["--param", "project_id=proj_sandbox", "--param", "service_account_id=svc_acct_sandbox"]

ORDER = ["planned", "creating", "verifying", "draining", "revoking", "confirming", "done"]


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class House:
    """A gate with a sandbox that has admin APIs, and one credential that an admin credential is linked to."""

    def __init__(
        self, folder, provider="openai", params=OPENAI, config=QUICK, admin=ADMIN, linked=True, old=None,
        base="", options=(),
    ):  # fmt: skip
        """`old`: makes the first key at the double; its secret, and further parameters of the link."""
        folder.mkdir(exist_ok=True)
        self.sandbox = rig.Sandbox(folder, "--admin-key", admin)
        self.gate = rig.Gate(folder, self.sandbox, config=config, start=False)
        self.gate.start()
        self.provider = provider
        self.old, self.more = old(self.sandbox) if old else (rig.provider_key(provider), [])
        self.gate.credential("main", provider, self.sandbox.url + base, self.old, "dev", *options)
        if linked:
            url = self.sandbox.url + base
            self.gate.credential("boss", provider, url, admin, "dev", "--kind", "admin")
            self.cli("credential link", "main", "--admin-credential", "boss", *params, *self.more)
        self.key = self.gate.key()["key"]

    def cli(self, *arguments, **more):
        command, *rest = arguments
        words = command.split()
        return self.gate.cli(*words, "--data", self.gate.data, *rest, "--json", **more)

    def rotate(self, *options):
        return self.cli("rotate", "main", *options)

    def show(self, rotation):
        return self.cli("rotation show", rotation["id"])

    def reaches(self, rotation, *states, patience=rig.PATIENCE):
        def there():
            it = self.show(rotation)
            if it["state"] in states:
                return it
            assert it["state"] not in ("failed", "undone"), it
            return None

        return rig.until(there, patience, 0.1)

    def keys(self):
        """The double's own list: what lives at the provider."""
        return rig.get(self.sandbox.url + "/_sandbox/admin")[1]["keys"]

    def live(self):
        return [key for key in self.keys() if not key["removed"] and not key["disabled"]]

    def manners(self, **manners):
        status, answer, _ = rig.get(self.sandbox.url + "/_sandbox/admin", method="POST", body=manners)
        assert status == 200, answer

    def asks(self):
        return rig.ask(self.gate, "openai", self.key)[0]

    def stop(self):
        assert self.gate.stop() == 0, self.gate.process.text()
        report = self.gate.cli("journal", "verify", "--data", self.gate.data, "--json")
        assert report.get("ok", True) is True, report
        assert self.sandbox.stop() == 0


@pytest.fixture
def house(tmp_path):
    made = []

    def make(**options):
        made.append(House(tmp_path / str(len(made)), **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


class Load:
    """Clients that ask without a pause, streams among them; counts what failed."""

    def __init__(self, gate, key, dialect="openai", clients=8):
        self.gate, self.key, self.dialect, self.clients = gate, key, dialect, clients
        self.asked, self.failed, self.going = 0, [], True
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run()))

    async def client(self, number):
        stream = number % 2 == 0
        text = "Say something." + (" [[sandbox:lag=10]]" if number % 4 == 0 else "")
        raw = rig.ask_bytes(self.dialect, self.key, text, stream=stream)
        while self.going:
            got = await rig.exchange(self.gate.port, raw)
            self.asked += 1
            status = int(got[9:12] or 0) if got else 0
            if status != 200 or not rig.whole(got):
                self.failed.append(got[:300])

    async def run(self):
        await asyncio.gather(*[self.client(number) for number in range(self.clients)])

    def __enter__(self):
        self.thread.start()
        rig.until(lambda: self.asked > self.clients)
        return self

    def __exit__(self, *_):
        self.going = False
        self.thread.join()


def test_a_key_is_replaced_under_load_and_no_call_fails(house):
    it = house()
    with Load(it.gate, it.key) as load:
        done = it.rotate("--now", "--reason", "a test", "--wait")
        after = load.asked
        rig.until(lambda: load.asked > after + 20)
    assert load.failed == []
    assert done["state"] == "done" and done["class"] == "create", done
    live = it.live()
    assert len(live) == 1 and live[0]["id"] == done["new_key"], live
    assert live[0]["secret_sha256"] != sha256(it.old)
    assert it.asks() == 200
    seen = [step["step"] for step in done["steps"]]
    assert [seen.index(state) for state in ORDER] == sorted(seen.index(state) for state in ORDER)


def test_the_answer_says_what_is_wrong_and_nothing_is_changed(house):
    it = house(admin=ADMIN)
    code, out, err = it.gate.run("rotate", "--data", it.gate.data, "nobody", "--json")
    assert code == 1 and "nobody" in err
    code, out, _ = it.gate.run("rotate", "--data", it.gate.data, "main", "--dry-run", "--json")
    assert code == 0 and json.loads(out)["possible"] is True
    it.rotate("--now")
    code, out, err = it.gate.run("rotate", "--data", it.gate.data, "main", "--now", "--json")
    assert code == 1 and "goes on" in err
    code, out, _ = it.gate.run("rotate", "--data", it.gate.data, "main", "--dry-run", "--json")
    assert code == 1 and json.loads(out)["possible"] is False
    code, _, _ = it.gate.run("rotate", "--data", it.gate.data, "main", "--sometime")
    assert code == 2


def test_an_admin_key_that_is_refused_fails_the_rotation_before_anything_is_made(house):
    it = house()
    assert it.asks() == 200
    before = len(it.live())
    it.cli("credential update", "boss", "--secret-stdin", stdin="sk-admin-wrong00000000000000000000000000")
    code, out, _ = it.gate.run("rotate", "--data", it.gate.data, "main", "--now", "--wait", "--json")
    assert code == 1 and json.loads(out)["state"] == "failed", out
    assert len(it.live()) == before and it.asks() == 200


def test_a_lost_answer_leaves_no_orphan(house):
    it = house()
    assert it.asks() == 200
    it.sandbox.script([{"match": "/api_keys", "method": "POST", "fault": "lost", "times": 2}])
    done = it.rotate("--now", "--wait")
    assert done["state"] == "done", done
    assert [key["id"] for key in it.live()] == [done["new_key"]]
    assert it.asks() == 200


def test_a_removal_whose_answer_fails_and_a_slow_provider_are_waited_for(house):
    it = house()
    it.manners(create_delay_ms=1500, delete_delay_ms=2500, list_lag_ms=500)
    it.sandbox.script([{"match": "/api_keys/", "method": "DELETE", "fault": "status_after=500", "times": 1}])
    with Load(it.gate, it.key, clients=4) as load:
        done = it.rotate("--now", "--wait")
    assert load.failed == []
    assert done["state"] == "done" and done["confirmed"] >= done["revoked"], done
    assert [key["id"] for key in it.live()] == [done["new_key"]]


def test_a_rollback_brings_the_old_key_back_under_load(house):
    it = house(config=QUICK.replace('keep_old = "1s"', 'keep_old = "1h"'))
    with Load(it.gate, it.key, clients=4) as load:
        begun = it.rotate()
        it.reaches(begun, "draining")
        it.cli("rotation rollback", begun["id"])
        rig.until(lambda: it.show(begun)["state"] == "undone", step=0.1)
    assert load.failed == []
    live = it.live()
    assert [key["secret_sha256"] for key in live] == [sha256(it.old)], live
    code, _, err = it.gate.run("rotation", "rollback", "--data", it.gate.data, begun["id"], "--json")
    assert code == 1, err


def kill_when(it, reached, rotation):
    """Kills the program when the rotation has reached a state, and starts it again."""
    rig.until(lambda: reached(it.show(rotation)), step=0.02)
    it.gate.process.kill()
    it.gate.start()


@pytest.mark.parametrize("state", ORDER[:-1])
def test_kill_9_in_every_state_is_gone_on_from(house, state):
    it = house()
    if state == "creating":
        it.sandbox.script([{"match": "/api_keys", "method": "POST", "fault": "latency=700", "times": 1}])
    if state == "revoking":
        it.sandbox.script([{"match": "/api_keys/", "method": "DELETE", "fault": "latency=700", "times": 1}])
    begun = it.rotate("--now")
    kill_when(it, lambda now: ORDER.index(now["state"]) >= ORDER.index(state), begun)
    done = it.reaches(begun, "done")
    assert [key["id"] for key in it.live()] == [done["new_key"]]
    assert it.asks() == 200


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kill_9_at_seeded_moments_leaves_no_orphan_and_no_failed_call(house, seed):
    it = house()
    dice = random.Random(seed)
    begun = it.rotate("--now")
    for _ in range(8):
        time.sleep(dice.uniform(0.0, 1.2))
        it.gate.process.kill()
        it.gate.start()
        assert it.asks() == 200
        if it.show(begun)["over"]:
            break
    done = it.reaches(begun, "done")
    assert [key["id"] for key in it.live()] == [done["new_key"]]


def test_an_emergency_ends_the_old_key_first(house):
    it = house()
    assert it.asks() == 200
    done = it.rotate("--emergency", "--reason", "seen in a log", "--wait")
    assert done["state"] == "done" and done["revoked"] <= done["promoted"], done
    assert [key["id"] for key in it.live()] == [done["new_key"]]
    assert it.asks() == 200


def test_a_leaked_key_that_still_carries_calls_is_dead_as_soon_as_nothing_uses_it(house):
    it = house(config=QUICK.replace('keep_old = "1s"', 'keep_old = "1h"'))
    with Load(it.gate, it.key, clients=4) as load:
        leak = {"sha256": [sha256(it.old)], "source": "a test"}
        incident = it.gate.socket_request("POST", "/api/v1/leaks", leak)["incidents"][0]["id"]
        rig.until(lambda: it.cli("incident show", incident)["state"] == "replaced", step=0.2)
    assert load.failed == []
    [begun] = it.cli("rotation list")["rotations"]
    rotation = it.reaches(begun, "done")
    assert rotation["mode"] == "now" and rotation["confirmed"], rotation
    assert [key["id"] for key in it.live()] == [rotation["new_key"]]


def test_a_person_hands_in_a_key_and_the_list_must_know_it(house):
    it = house(provider="anthropic", params=[])
    assert rig.ask(it.gate, "anthropic", it.key)[0] == 200
    begun = it.rotate("--now")
    waiting = it.reaches(begun, "waiting")
    name = next(line for line in waiting["instructions"] if line.startswith("Name")).split()[-1].rstrip(".")
    code, _, err = it.gate.run(
        "rotation", "intake", "--data", it.gate.data, begun["id"], "--secret-stdin", stdin=it.old
    )
    assert code == 1 and "known already" in err
    secret = rig.provider_key("anthropic", "new")
    status, answer, _ = rig.get(
        it.sandbox.url + "/_sandbox/console",
        method="POST",
        body={"provider": "anthropic", "name": name, "secret": secret},
    )
    assert status < 300, answer
    it.cli("rotation intake", begun["id"], "--secret-stdin", stdin=secret)
    done = it.reaches(begun, "done")
    assert done["class"] == "human" and done["new_key"], done
    assert rig.ask(it.gate, "anthropic", it.key)[0] == 200


def test_without_an_admin_credential_the_refusal_of_the_old_key_closes_it(house):
    it = house(linked=False)
    assert it.asks() == 200
    begun = it.rotate("--now")
    it.reaches(begun, "waiting")
    it.cli("rotation intake", begun["id"], "--secret-stdin", stdin=rig.provider_key("openai", "by hand"))
    waiting = it.reaches(begun, "revoking")
    rig.until(lambda: it.show(begun)["instructions"])
    assert waiting["revoked"] is None
    it.sandbox.revoke(it.old)
    done = it.reaches(begun, "done")
    assert done["confirmed"] and it.asks() == 200


class Vllm:
    """A server of the operator's own: it takes the keys of its file as they were when it was told to read."""

    def __init__(self, path):
        self.path, self.keys = path, set(path.read_text().split())
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                known = self.headers.get("authorization", "").removeprefix("Bearer ") in server.keys
                body = b'{"object":"list","data":[]}' if known else b'{"error":"Unauthorized"}'
                self.send_response(200 if known else 401)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def reload(self, *_):
        self.keys = set(self.path.read_text().split())


@pytest.fixture
def local(house, tmp_path):
    """A house, and a server of the operator's own with its key file."""
    path = tmp_path / "keys"
    path.write_text("sk-local-old-0123456789abcdef\n")
    vllm = Vllm(path)
    signal.signal(signal.SIGUSR1, vllm.reload)
    told = f'["/bin/kill", "-USR1", "{os.getpid()}"]'
    config = QUICK + f'[key_file.local]\npath = "{path}"\nreload = {told}\n'
    it = house(config=config)
    it.gate.credential("local", "vllm", vllm.url, "sk-local-old-0123456789abcdef")
    yield it, path
    vllm.http.shutdown()


def test_a_key_file_gets_both_keys_and_then_the_new_one_only(local):
    it, path = local
    begun = it.cli("rotate", "local", "--now")
    assert begun["class"] == "self_hosted"
    it.reaches(begun, "verifying")
    both = path.read_text().split()
    assert both[0] == "sk-local-old-0123456789abcdef" and both[1].startswith("sk-claviger-")
    assert it.reaches(begun, "done")["confirmed"]
    assert path.read_text().split() == both[1:]
    assert path.stat().st_mode & 0o777 == 0o600


def test_in_an_emergency_the_old_key_leaves_the_file_first_and_does_not_come_back(local):
    it, path = local
    begun = it.cli("rotate", "local", "--emergency", "--reason", "seen in a log")
    assert begun["class"] == "self_hosted"
    seen = []

    def done():
        seen.append(path.read_text().split())
        return it.show(begun)["state"] == "done"

    rig.until(done, step=0.05)
    assert seen[0] in ([], ["sk-local-old-0123456789abcdef"]), seen
    gone = next(i for i, keys in enumerate(seen) if "sk-local-old-0123456789abcdef" not in keys)
    assert all("sk-local-old-0123456789abcdef" not in keys for keys in seen[gone:])
    [new] = path.read_text().split()
    assert new.startswith("sk-claviger-")
    shown = it.show(begun)
    assert shown["revoked"] <= shown["promoted"], shown


def test_a_token_for_one_rotation_is_enough_for_ci_and_good_for_nothing_else(house):
    it = house()
    token = it.cli("token create", "--name", "ci", "--rotate", "main")["token"]
    status, begun, _ = rig.get(
        it.gate.admin + "/api/v1/credentials/main/rotate", token, "POST", {"mode": "now", "reason": "ci"}
    )
    assert status == 202, begun
    for path in ("/api/v1/credentials", "/api/v1/keys", "/api/v1/credentials/boss/rotate", "/api/v1/journal"):
        assert rig.get(it.gate.admin + path, token)[0] == 403, path
    show = it.gate.admin + "/api/v1/rotations/" + begun["id"]
    rig.until(lambda: rig.get(show, token)[1]["state"] == "done", step=0.2)


def test_no_secret_is_told_anywhere(house):
    it = house()
    it.sandbox.script([{"match": "/api_keys", "method": "POST", "fault": "status_after=500", "times": 1}])
    done = it.rotate("--now", "--wait")
    told = json.dumps(done) + it.gate.process.text() + "".join(it.gate.outputs)
    told += "".join(json.dumps(line) for line in it.gate.journal())
    for secret in (it.old, ADMIN):
        assert secret not in told
    assert "sk-svcacct-" not in told
