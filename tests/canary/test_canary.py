"""Marked secrets go in; nothing but the upstream socket may ever show a part of them."""

import asyncio
import base64
import gzip
import http.client
import json
import random
import re
import string
import tarfile
import time
import urllib.error

import pytest
import rig
from search import Needles, forms

ALPHABET = string.ascii_letters + string.digits
# (provider, what its secrets look like); the three that the requests go to stand first, in dev.
SHAPES = [
    ("openai", "sk-proj-{}"), ("anthropic", "sk-ant-api03-{}AA"), ("gemini", "AIza{}"),
    ("openai", "sk-{}"), ("openai", "sk-svcacct-{}"), ("openai", "sk-None-{}"),
    ("anthropic", "sk-ant-admin01-{}AA"), ("anthropic", "sk-ant-oat01-{}"), ("gemini", "AQ.{}"),
    ("groq", "gsk_{}"), ("x-ai", "xai-{}"), ("perplexity", "pplx-{}"), ("huggingface", "hf_{}"),
    ("openrouter", "sk-or-v1-{}"), ("together", "tgp_v1_{}"), ("fireworks", "fw_{}"),
    ("cerebras", "csk-{}"), ("mistral", "{}"), ("cohere", "co_{}"), ("deepseek", "dsk:{}"),
    ("pinecone", "pcsk_{}"), ("qdrant", "{}|qd"), ("weaviate", "WV+{}=="), ("azure", "az.{}.az"),
    ("bedrock", "AKIDEXAMPLE:{}"), ("bedrock", "AKIDEXAMPLE:{}:TOKEN/{{}}=="), ("bedrock", "ABSK{}"),
    ("vertex", '{{"type":"service_account","private_key":"-----BEGIN {}-----"}}'), ("vllm", "token-{}"),
    ("ollama", "/{}/"), ("openai_compatible", "<{}>"), ("llamacpp", "~{}~"),
]  # fmt: skip
FAULTS = [
    "",
    "status=500",
    "status=429,retry_after=1",
    "cut=300",
    "drop",
    "malformed",
    "malformed=head",
    "lag=1",
]


def marked(dice, length=40):
    return "".join(dice.choice(ALPHABET) for _ in range(length))


class TestSearch:
    """The search itself finds every form, so that silence below means something."""

    SECRET = marked(random.Random(1))

    @pytest.mark.parametrize("form", [name for name, _, _ in forms(SECRET.encode())])
    def test_a_part_in_any_form_is_found(self, form):
        text, length = next((t, n) for name, t, n in forms(self.SECRET.encode()) if name == form)
        needles = Needles({"secret": self.SECRET})
        for at in (0, 5, len(text) - length):
            assert needles.found_in(b"noise " + text[at : at + length] + b" noise"), (form, at)

    def test_a_part_inside_a_longer_base64_text_is_found(self):
        for lead in range(6):
            heap = base64.b64encode(b"x" * lead + self.SECRET.encode() + b"yz")
            assert Needles({"secret": self.SECRET}).found_in(heap), lead

    def test_a_part_inside_a_compressed_stream_is_found(self):
        heap = b"noise" + gzip.compress(b"a line with " + self.SECRET.encode() + b" in it")
        assert Needles({"secret": self.SECRET}).found_packed(heap)

    def test_nothing_is_found_where_nothing_is(self):
        assert not Needles({"secret": self.SECRET}).found_in(marked(random.Random(2), 20000).encode())


class Scene:
    """A gate whose every secret is marked, driven through answers, faults, refusals and a crash."""

    def __init__(self, folder):
        self.dice = random.Random(64)
        self.secrets = {}
        self.heaps = {}
        self.sandbox = rig.Sandbox(folder)
        self.gate = rig.Gate(folder, self.sandbox, start=False)
        self.gate.start()
        self.add_provider_secrets()
        self.add_recipients()
        self.keys = [self.new_key() for _ in range(16)]
        self.strangers = [self.remember(f"stranger {n}", marked(self.dice, 48)) for n in range(8)]
        self.prompt = self.remember("prompt", "prompt" + marked(self.dice))

    def remember(self, name, secret):
        self.secrets[name] = secret
        return secret

    def add_provider_secrets(self):
        for number, (provider, shape) in enumerate(SHAPES):
            secret = self.remember(f"provider secret {number}", marked(self.dice))
            environment = "dev" if number < 3 else f"env-{number}"
            more = ("--parameter", "region=eu-west-1") if provider == "bedrock" else ()
            self.gate.credential(
                f"credential-{number}", provider, self.sandbox.url, shape.format(secret), environment, *more
            )
        for number in range(3):  # and one that was replaced
            secret = self.remember(f"older secret {number}", marked(self.dice))
            name = f"credential-{number}"
            token = self.gate.owner_token()
            body = {"secret": SHAPES[number][1].format(secret), "publish": "later"}
            assert self.post_in_pieces(f"/api/v1/credentials/{name}/versions", token, body) < 300

    def post_in_pieces(self, path, token, body):
        """Chunked, so that the buffers it is read into grow while the secret is in them."""
        door = http.client.HTTPConnection(self.gate.admin.removeprefix("http://"))
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        text = json.dumps(body)

        def pieces():
            for at in range(0, len(text), 16):
                yield text[at : at + 16].encode()
                time.sleep(0.01)

        door.request("POST", path, pieces(), headers, encode_chunked=True)
        return door.getresponse().status

    def add_recipients(self):
        """Other ways into the vault: a passphrase, and shares of which each is a secret of its own."""
        data = self.gate.data
        phrase = self.remember("passphrase", "phrase " + marked(self.dice))
        self.gate.cli("vault", "recipient", "add", "--data", data, "--passphrase-stdin", stdin=phrase)
        answer = self.gate.cli("vault", "recipient", "split", "--data", data, "--json")
        self.gate.outputs.pop()  # the one place where shares are shown
        for number, share in enumerate(answer["lines"]):
            self.remember(f"share {number}", share.split("-")[4])

    def new_key(self, *options):
        token = self.gate.key("--budget", "100usd/day", *options)
        self.gate.outputs.pop()  # the one place where a new token is shown
        self.remember(f"key {token['id']}", token["key"].rsplit("_", 1)[1])
        return token

    def drive(self):
        answers = b""
        requests = []
        for key in self.keys:
            for dialect in rig.DIALECTS:
                fault = f"{self.prompt} [[sandbox:{self.dice.choice(FAULTS)}]]"
                stream = self.dice.random() < 0.5
                requests.append(rig.ask_bytes(dialect, key["key"], fault, stream=stream))
        for stranger in self.strangers:
            for dialect in rig.DIALECTS:
                requests.append(rig.ask_bytes(dialect, stranger))
                requests.append(rig.ask_bytes(dialect, f"clv_{'a' * 12}_{stranger}"))
            requests += self.odd_requests(stranger)

        async def run():
            return await rig.gather([rig.exchange(self.gate.port, raw) for raw in requests], at_once=20)

        answers += b"\n".join(asyncio.run(run()))
        self.heaps["answers of the gate"] = self.heaps.get("answers of the gate", b"") + answers

    def odd_requests(self, stranger):
        """Keys where they do not belong: in the URL, twice, in broken heads and bodies."""
        body = b'{"model":"gpt-4o-mini"'
        yield rig.request_bytes(
            "POST", f"/v1beta/models/gemini-2.5-flash:generateContent?key={stranger}", {}, b"{}"
        )
        yield rig.request_bytes("GET", f"/v1/models/{stranger}", {"authorization": f"Bearer {stranger}"})
        yield rig.request_bytes(
            "POST", "/v1/chat/completions", {"authorization": f"Basic {stranger}"}, body
        )
        yield rig.request_bytes(
            "POST", f"/{stranger}", {"x-api-key": stranger, "x-goog-api-key": stranger}, body
        )
        yield f"GET /v1/models HTTP/1.1\r\nHost: a\r\nX {stranger}: b\r\n\r\n".encode()
        yield f"{stranger} / HTTP/1.1\r\nHost: a\r\n\r\n".encode()

    def administer(self):
        key = self.keys[0]
        new = self.gate.cli("key", "rotate", "--data", self.gate.data, key["id"], "--grace", "1m", "--json")
        self.gate.outputs.pop()
        self.remember("rotated key", new["key"].rsplit("_", 1)[1])
        token = self.gate.owner_token()
        self.remember("admin token", token.rsplit("_", 1)[1])
        said = []
        for path in (
            "keys",
            "credentials",
            "usage?by=key",
            "budgets",
            "tokens",
            "alerts",
            "status",
            "journal?last=1000",
        ):
            said.append(json.dumps(rig.get(f"{self.gate.admin}/api/v1/{path}", token)[1]))
        for stranger in self.strangers:
            said.append(str(rig.get(f"{self.gate.admin}/api/v1/keys", f"clva_{'a' * 12}_{stranger}")[1]))
        said.append(str(rig.get(self.gate.admin + "/metrics", token)[1]))
        self.heaps["admin API and metrics"] = "\n".join(said).encode()
        for command in (
            ["doctor"],
            ["key", "list"],
            ["credential", "list"],
            ["journal", "tail"],
            ["usage"],
        ):
            arguments = [*command, "--data", self.gate.data]
            if command != ["journal", "tail"]:
                self.gate.run(*arguments)

    def back_up(self):
        """A backup of the running gate, as one file and unpacked."""
        path = self.gate.folder / "backup.tar"
        self.gate.cli("backup", "--data", self.gate.data, "--output", path)
        self.heaps["backup"] = path.read_bytes()
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile():
                    self.heaps[f"backup: {member.name}"] = archive.extractfile(member).read()

    def dump(self):
        """What a core dump of the running gate would hold: every mapping that is not left out of dumps."""
        found = b""
        with open(f"/proc/{self.gate.process.pid}/smaps") as lines, open(
            f"/proc/{self.gate.process.pid}/mem", "rb", buffering=0
        ) as memory:
            span = None
            for line in lines:
                head = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
                if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                    span = (int(head[1], 16), int(head[2], 16)) if head else None
                if line.startswith("VmFlags:") and span and " dd" not in line and " io" not in line:
                    memory.seek(span[0])
                    try:
                        found += memory.read(span[1] - span[0])
                    except OSError:
                        continue  # the kernel's own, or hidden from it too
        self.cores = found

    def collect(self):
        for name in ("cmdline", "environ"):
            with open(f"/proc/{self.gate.process.pid}/{name}", "rb") as file:
                self.heaps[f"/proc/PID/{name}"] = file.read()
        self.read_data("while it runs")
        self.gate.process.kill()
        self.read_data("after kill -9")
        self.gate.start()
        assert self.gate.stop() == 0
        self.read_data("after the end")
        self.heaps["exported journal"] = self.gate.run("journal", "export", "--data", self.gate.data)[
            1
        ].encode()
        self.heaps["commands"] = "\n".join(self.gate.outputs).encode()
        for path in self.gate.folder.glob("*.log"):
            self.heaps[path.name] = path.read_bytes()
        assert self.sandbox.stop() == 0

    def read_data(self, when):
        for path in self.gate.data.rglob("*"):
            if path.is_file() and path.name != "root.key":
                self.heaps[f"{path.relative_to(self.gate.data)} {when}"] = path.read_bytes()


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    scene = Scene(tmp_path_factory.mktemp("canary"))
    scene.drive()
    try:
        scene.administer()
    except urllib.error.URLError as error:
        raise AssertionError(scene.gate.process.text()) from error
    scene.drive()
    scene.back_up()
    scene.dump()
    scene.collect()
    return scene


def test_the_secrets_were_really_in_use(scene):
    answered = scene.heaps["answers of the gate"]
    assert answered.count(b"HTTP/1.1 200") > 10 and answered.count(b"HTTP/1.1 401") > 10
    assert any("claviger.db" in name for name in scene.heaps)
    assert any(name.startswith("journal") for name in scene.heaps)


def test_what_is_public_is_found_by_the_same_search(scene):
    """The positive control: a key's id is no secret and stands in database, journal and answers."""
    needles = Needles({"id": scene.keys[3]["id"]})
    found = {name.split()[0].split("/")[0] for name, heap in scene.heaps.items() if needles.found_in(heap)}
    assert {"journal", "admin", "exported"} <= found and any(
        name.startswith("claviger.db") for name in found
    )


def test_there_are_64_secrets_and_more_of_distinct_shapes(scene):
    assert len(scene.secrets) >= 64
    assert len({shape for _, shape in SHAPES}) >= 30


def test_a_core_dump_of_the_gate_would_hold_no_provider_secret(scene):
    """Clients' requests pass through plain memory; what the providers know may not stay there."""
    needles = Needles({name: text for name, text in scene.secrets.items() if "provider secret" in name})
    assert len(scene.cores) > 1_000_000
    assert Needles({"id": scene.keys[3]["id"]}).found_in(scene.cores), "what is public is found there"
    assert not needles.found_in(scene.cores)


def test_no_part_of_a_secret_is_anywhere_in_any_form(scene):
    needles = Needles(scene.secrets)
    found = {
        name: needles.found_in(heap) | needles.found_packed(heap) for name, heap in scene.heaps.items()
    }
    leaks = {name: sorted(what)[:5] for name, what in found.items() if what}
    assert not leaks
