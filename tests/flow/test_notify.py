"""Notifications: what receivers get, what their answers do, and where nothing may ever be sent."""

import asyncio
import base64
import hashlib
import json
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import rig
from test_tls import papers  # noqa: F401

SIGNING = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789").decode()


class Receiver:
    """A webhook's receiver on loopback that answers as it is told."""

    def __init__(self):
        self.got, self.status, self.headers, self.delay = [], 200, {}, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.got.append((self.path, dict(self.headers.items()), body))
                time.sleep(outer.delay)
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self):
        return [json.loads(body) for _, _, body in self.got]

    def stop(self):
        self.server.shutdown()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.stop()


def config_of(tmp_path, receiver, more=""):
    (tmp_path / "slack-url").write_text(f"{receiver.url}/services/T0/SLACK-SECRET\n")
    (tmp_path / "whsec").write_text(SIGNING + "\n")
    (tmp_path / "routing").write_text("ROUTING-SECRET\n")
    return f"""
[outside]
private_hosts = ["127.0.0.1"]
[[notify]]
name = "chat"
kind = "slack"
url_file = "{tmp_path}/slack-url"
[[notify]]
name = "events"
kind = "cloudevents"
url = "{receiver.url}/events"
secret_file = "{tmp_path}/whsec"
[[notify]]
name = "pager"
kind = "pagerduty"
url = "{receiver.url}/v2/enqueue"
secret_file = "{tmp_path}/routing"
events = ["incident.detected", "incident.closed", "notify.test"]
{more}"""


def test_every_channel_tells_of_a_leak_in_its_own_words(fresh, tmp_path, receiver):
    gate, _ = fresh(config=config_of(tmp_path, receiver))
    key = gate.key()
    digest = hashlib.sha256(key["key"].encode()).hexdigest()
    incident = gate.socket_request("POST", "/api/v1/leaks", {"sha256": [digest]})["incidents"][0]["id"]
    rig.until(lambda: sum(path == "/events" for path, _, _ in list(receiver.got)) >= 3)
    gate.cli("incident", "close", "--data", gate.data, incident, "--resolution", "a test")
    rig.until(lambda: any(b'"resolve"' in body for _, _, body in list(receiver.got)))
    by_path = {}
    for path, headers, body in receiver.got:
        by_path.setdefault(path, []).append((headers, json.loads(body)))
    chats = [body["text"] for _, body in by_path["/services/T0/SLACK-SECRET"]]
    assert any("found outside" in text for text in chats) and any("frozen" in text for text in chats)
    types = [body["type"] for _, body in by_path["/events"]]
    assert types[:3] == [f"claviger.incident.{state}" for state in ("detected", "contained", "accounted")]
    first = by_path["/events"][0][1]
    assert first["specversion"] == "1.0" and first["subject"] == f"key:{key['id']}"
    assert first["data"]["particulars"]["incident"] == incident
    pages = [body for _, body in by_path["/v2/enqueue"]]
    assert [page["event_action"] for page in pages] == ["trigger", "resolve"]
    assert {page["dedup_key"] for page in pages} == {incident} and pages[0]["routing_key"] == "ROUTING-SECRET"
    told = b"".join(body for _, _, body in receiver.got)
    assert key["key"].encode() not in told and digest.encode() not in told
    listed = gate.cli("notify", "list", "--data", gate.data, "--json")
    assert {channel["state"] for channel in listed["channels"]} == {"good"}
    seen = json.dumps(listed) + gate.process.text() + "".join(gate.outputs)
    for secret in ("SLACK-SECRET", "ROUTING-SECRET", SIGNING[6:]):
        assert secret not in seen
    gate.stop()
    for path in gate.data.rglob("*"):
        if path.is_file():
            for secret in ("SLACK-SECRET", "ROUTING-SECRET", SIGNING[6:]):
                assert secret.encode() not in path.read_bytes(), path
    gate.start()


def test_the_signature_is_what_the_standards_own_library_takes(fresh, tmp_path, receiver):
    gate, _ = fresh(config=config_of(tmp_path, receiver))
    gate.cli("notify", "test", "--data", gate.data, "events", "--json")
    path, headers, body = receiver.got[0]
    script = tmp_path / "verify.mjs"
    folder = Path(__file__).resolve().parent
    script.write_text(
        f"import {{createRequire}} from 'module'; const require = createRequire('{folder}/sdks.mjs');\n"
        "const {Webhook} = require('standardwebhooks'); const fs = require('fs');\n"
        "const it = JSON.parse(fs.readFileSync(process.argv[2]));\n"
        "new Webhook(it.secret).verify(it.body, it.headers); console.log('good');\n"
        "try { new Webhook(it.secret).verify(it.body + ' ', it.headers); }\n"
        "catch { console.log('refused'); }\n"
    )
    lower = {name.lower(): value for name, value in headers.items()}
    it = {"secret": SIGNING, "body": body.decode(), "headers": lower}
    (tmp_path / "it.json").write_text(json.dumps(it))
    done = subprocess.run(["node", script, tmp_path / "it.json"], capture_output=True, text=True)
    assert done.stdout.split() == ["good", "refused"], done.stderr


@pytest.mark.parametrize("status", [301, 302, 307, 400, 500])
def test_anything_but_success_is_tried_again_and_no_redirect_is_followed(fresh, tmp_path, receiver, status):
    gate, _ = fresh(config=config_of(tmp_path, receiver))
    other = Receiver()
    receiver.status, receiver.headers = status, {"location": other.url + "/stolen"}
    code, out, _ = gate.run("notify", "test", "--data", gate.data, "events", "--json")
    assert code == 1 and json.loads(out)["problem"] == f"status {status}"
    receiver.status = 200
    rig.until(lambda: gate.cli("notify", "list", "--data", gate.data, "--json")["channels"][1]["sent"] == 1)
    assert len(receiver.got) == 2 and other.got == []
    ids = {headers["webhook-id"] for _, headers, _ in receiver.got}
    assert len(ids) == 1
    other.stop()


def test_a_receiver_that_is_gone_is_left_alone_and_its_letters_are_seen(fresh, tmp_path, receiver):
    gate, _ = fresh(config=config_of(tmp_path, receiver))
    receiver.status = 410
    assert gate.run("notify", "test", "--data", gate.data, "events", "--json")[0] == 1
    dead = gate.cli("notify", "dead", "--data", gate.data, "--json")["messages"]
    assert [(letter["channel"], letter["problem"]) for letter in dead] == [("events", "status 410")]
    channels = gate.cli("notify", "list", "--data", gate.data, "--json")["channels"]
    assert {one["name"]: one["state"] for one in channels}["events"] == "disabled"
    receiver.status = 200
    assert gate.run("notify", "test", "--data", gate.data, "events", "--json")[0] == 0


def test_a_channel_that_asks_for_less_rests(fresh, tmp_path, receiver):
    gate, _ = fresh(config=config_of(tmp_path, receiver))
    receiver.status, receiver.headers = 429, {"retry-after": "600"}
    _, out, _ = gate.run("notify", "test", "--data", gate.data, "events", "--json")
    message = json.loads(out)
    assert message["state"] == "waiting" and message["next"] > message["at"]
    # Another one that merely fails is tried again and has come through when the first still rests.
    receiver.status, receiver.headers = 500, {}
    assert gate.run("notify", "test", "--data", gate.data, "chat", "--json")[0] == 1
    receiver.status = 200

    def sent():
        channels = gate.cli("notify", "list", "--data", gate.data, "--json")["channels"]
        return {one["name"]: one["sent"] for one in channels}

    rig.until(lambda: sent()["chat"] == 1)
    assert sent()["events"] == 0
    assert [path for path, _, _ in receiver.got].count("/events") == 1


def test_containment_waits_for_no_receiver(fresh, tmp_path, receiver):
    gate, _ = fresh(config=config_of(tmp_path, receiver))
    receiver.delay = 5
    keys = [gate.key() for _ in range(3)]
    for key in keys:
        digest = hashlib.sha256(key["key"].encode()).hexdigest()
        answer = gate.socket_request("POST", "/api/v1/leaks", {"sha256": [digest]})
        assert answer["incidents"][0]["state"] == "contained"
        assert rig.ask(gate, "openai", key["key"])[0] == 401


def test_a_receiver_that_is_down_gets_its_message_after_a_restart(fresh, tmp_path, receiver):
    port = rig.free_port()
    channel = f'[[notify]]\nname = "down"\nkind = "cloudevents"\nurl = "http://127.0.0.1:{port}/x"\n'
    channel += f'secret_file = "{tmp_path}/whsec"\n'
    gate, _ = fresh(config=config_of(tmp_path, receiver, channel))
    assert gate.run("notify", "test", "--data", gate.data, "down", "--json")[0] == 1
    gate.process.kill()
    gate.start()
    late = Receiver.__new__(Receiver)
    Receiver.__init__(late)
    listed = {c["name"]: c for c in gate.cli("notify", "list", "--data", gate.data, "--json")["channels"]}
    assert listed["down"]["waiting"] == 1 and listed["down"]["problem"] == "upstream_failed"
    late.stop()


FORBIDDEN = [
    "http://example.com/x",
    "https://127.0.0.1/x",
    "https://localhost/x",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/x",
    "https://192.168.1.1/x",
    "https://user:pass@example.com/x",
    "https://example.com/x#y",
    "ftp://example.com/x",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("url", FORBIDDEN)
def test_an_address_inside_is_refused_wherever_it_is_written(tmp_path, url):
    (tmp_path / "whsec").write_text(SIGNING)
    (tmp_path / "url").write_text(url)
    config = tmp_path / "claviger.toml"
    for kind, place in [
        ("cloudevents", f'url = "{url}"\nsecret_file = "{tmp_path}/whsec"'),
        ("cloudevents", f'url_file = "{tmp_path}/url"\nsecret_file = "{tmp_path}/whsec"'),
        ("pagerduty", f'url = "{url}"\nsecret_file = "{tmp_path}/whsec"'),
        ("slack", f'url_file = "{tmp_path}/url"'),
    ]:
        data = tmp_path / "data"
        if not data.exists():
            subprocess.run([rig.BIN, "init", "--data", data], check=True, capture_output=True)
        config.write_text(f'[[notify]]\nname = "n"\nkind = "{kind}"\n{place}\n')
        done = subprocess.run(
            [rig.BIN, "notify", "list", "--data", data, "--config", config], capture_output=True, text=True
        )
        assert done.returncode != 0, (kind, done.stderr)
        assert "url" in done.stderr or "channel" in done.stderr, (kind, done.stderr)
        if "user:pass" in url:
            assert "user:pass" not in done.stderr or kind in ("cloudevents", "pagerduty")


def test_a_name_that_nobody_knows_is_tried_again(fresh, tmp_path):
    (tmp_path / "whsec").write_text(SIGNING)
    channel = '[[notify]]\nname = "inside"\nkind = "cloudevents"\nurl = "https://nowhere.invalid/x"\n'
    channel += f'secret_file = "{tmp_path}/whsec"\n'
    channel += '[[notify]]\nname = "mail"\nkind = "smtp"\nserver = "nowhere.invalid:587"\n'
    channel += 'from = "a@example.com"\nto = ["b@example.com"]\n'
    gate, _ = fresh(config=channel)
    for name in ("inside", "mail"):
        code, out, _ = gate.run("notify", "test", "--data", gate.data, name, "--json")
        assert code == 1 and json.loads(out)["state"] == "waiting"


def test_what_is_odd_in_a_channel_is_an_error_with_its_line(tmp_path):
    data = tmp_path / "data"
    subprocess.run([rig.BIN, "init", "--data", data], check=True, capture_output=True)
    (tmp_path / "f").write_text("x" * 30)
    for text, word in [
        ('name = "n"\nkind = "telegram"', "'kind'"),
        ('name = "n"\nkind = "slack"\nurl = "https://hooks.slack.com/x"', "url_file"),
        ('name = "n"\nkind = "cloudevents"\nurl = "https://example.com/"', "secret"),
        (f'name = "n"\nkind = "cloudevents"\nurl = "https://a.com/"\nsecret_file = "{tmp_path}/f"', "whsec_"),
        ('name = "n"\nkind = "smtp"\nserver = "mail"\nfrom = "a@b"\nto = ["c@d"]', "'server'"),
        ('name = "n"\nkind = "smtp"\nserver = "127.0.0.1:25"\nfrom = "a@b"\nto = ["c@d"]', "private"),
        ('name = "n"\nkind = "smtp"\nserver = "localhost:25"\nfrom = "a@b"\nto = ["c@d"]', "private"),
        ('name = "n"\nkind = "smtp"\nserver = "mail:25"\nfrom = "a"\nto = ["c@d"]', "'from'"),
        ('name = "n"\nkind = "smtp"\nserver = "mail:25"\nfrom = "a@b"\nto = ["c@d"]\ntls = "none"', "'tls'"),
        ('name = "n"\nkind = "slack"\nurl_file = "/nowhere"\nretries = 3', "retries"),
        ('name = "n"\nkind = "slack"\nurl_file = "/nowhere"', "/nowhere"),
    ]:
        (tmp_path / "claviger.toml").write_text(f"[[notify]]\n{text}\n")
        done = subprocess.run(
            [rig.BIN, "notify", "list", "--data", data, "--config", tmp_path / "claviger.toml"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode != 0 and word in done.stderr, (text, done.stderr)


class MailServer:
    """Enough of SMTP to take a mail over TLS."""

    def __init__(self, papers, starttls):
        self.mails, self.lines = [], []
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(papers / "gate.pem", papers / "gate.key")
        self.starttls = starttls
        self.port = rig.free_port()
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self.run, args=(ready,), daemon=True).start()
        ready.wait(10)

    def run(self, ready):
        asyncio.set_event_loop(self.loop)
        tls = None if self.starttls else self.context
        self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", self.port, ssl=tls))
        ready.set()
        self.loop.run_forever()

    async def serve(self, reader, writer):
        secure, text = not self.starttls, None
        writer.write(b"220 mail\r\n")
        while line := await reader.readline():
            if text is not None:
                if line == b".\r\n":
                    self.mails.append(b"".join(text))
                    text = None
                    writer.write(b"250 taken\r\n")
                else:
                    text.append(line[1:] if line.startswith(b".") else line)
                continue
            self.lines.append((secure, line.decode().strip()))
            verb = line.split()[0].upper()
            if verb == b"STARTTLS":
                writer.write(b"220 go\r\n")
                await writer.drain()
                await writer.start_tls(self.context) if hasattr(writer, "start_tls") else None
                secure = True
            elif verb == b"DATA":
                text = []
                writer.write(b"354 go\r\n")
            elif verb == b"QUIT":
                break
            else:
                writer.write(b"250-mail\r\n250 AUTH PLAIN\r\n" if verb == b"EHLO" else b"235 good\r\n")
        writer.close()


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_mail_goes_over_tls_and_nothing_is_said_before(fresh, tmp_path, papers, tls):  # noqa: F811
    server = MailServer(papers, tls == "starttls")
    (tmp_path / "password").write_text("MAIL-SECRET\n")
    gate, _ = fresh(
        config=f"""
[upstream]
ca_file = "{papers}/ca.pem"
[outside]
private_hosts = ["localhost"]
[[notify]]
name = "mail"
kind = "smtp"
server = "localhost:{server.port}"
tls = "{tls}"
user = "claviger"
secret_file = "{tmp_path}/password"
from = "claviger@example.com"
to = ["a@example.com", "b@example.com"]
"""
    )
    code, out, err = gate.run("notify", "test", "--data", gate.data, "mail", "--json")
    if tls == "starttls" and not hasattr(asyncio.StreamWriter, "start_tls"):
        pytest.skip("this Python cannot start TLS on a stream")
    assert code == 0, out + err + str(server.lines)
    said = [line for secure, line in server.lines if not secure]
    assert said == (["EHLO claviger", "STARTTLS"] if tls == "starttls" else [])
    lines = [line for secure, line in server.lines if secure]
    plain = base64.b64encode(b"\0claviger\0MAIL-SECRET").decode()
    assert f"AUTH PLAIN {plain}" in lines and "RCPT TO:<b@example.com>" in lines
    head, _, body = server.mails[0].decode().partition("\r\n\r\n")
    assert "Subject: [claviger] A test of the channel mail" in head
    assert "A test of the channel mail" in base64.b64decode(body).decode()
    assert "MAIL-SECRET" not in gate.process.text()


def test_a_mail_server_whose_certificate_is_another_gets_nothing(fresh, tmp_path, papers):  # noqa: F811
    server = MailServer(papers, False)
    gate, _ = fresh(
        config=f"""
[outside]
private_hosts = ["localhost"]
[[notify]]
name = "mail"
kind = "smtp"
server = "localhost:{server.port}"
tls = "implicit"
from = "claviger@example.com"
to = ["a@example.com"]
"""
    )
    code, out, _ = gate.run("notify", "test", "--data", gate.data, "mail", "--json")
    assert code == 1 and json.loads(out)["state"] == "waiting" and server.mails == []
