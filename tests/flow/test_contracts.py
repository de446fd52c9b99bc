"""The sandbox's admin APIs and our own calls to them, held to what the providers' OpenAPI documents say.

Between client and double stands a proxy that checks every request and answer against the document: one that
does not fit is answered with an error in its place. Where the documents are from: tools/slice_spec.py.
"""

import http.server
import json
import threading

import pytest

import rig
from test_rotation import ADMIN, OPENAI, house  # noqa: F401
from test_rotation_classes import console
from test_sandbox_admin import drive

PROJECT = "00000000-0000-4000-8000-0000000000aa"


class Contract:
    """The validating proxy in front of `upstream`."""

    def __init__(self, folder, name, upstream, port=None):
        self.port = port or rig.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        flow = rig.ROOT / "tests/flow"
        command = [flow / "node_modules/.bin/prism", "proxy", "--errors", "-h", "127.0.0.1", "-p", self.port]
        command += [flow / "contracts" / f"{name}.json", upstream]
        self.process = rig.Process([str(part) for part in command], folder / f"contract-{name}.log")
        rig.until(lambda: self.alive() and "is listening" in self.process.text())

    def alive(self):
        assert self.process.alive(), self.process.text()
        return True

    def violations(self):
        """What it refused. A status that the document does not list passes: OpenAI's lists 200 alone."""
        return [line for line in self.process.text().splitlines() if "Request terminated with error" in line]

    def stop(self):
        self.process.kill()


@pytest.fixture
def contract(tmp_path):
    made = []

    def make(*arguments):
        made.append(Contract(tmp_path, *arguments))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def through(it, contract, admin):
    """The credential's rotation calls go by way of the contract from here on."""
    it.gate.credential("checked", it.provider, contract.url, admin, "dev", "--kind", "admin")


def test_openai_by_its_sdk_and_by_a_rotation(house, contract):  # noqa: F811
    it = house(linked=False)
    checked = contract("openai", it.sandbox.url)
    assert it.asks() == 200  # for usage and costs to have a row
    through(it, checked, ADMIN)
    it.cli("credential link", "main", "--admin-credential", "checked", *OPENAI)
    done = it.rotate("--now", "--wait")
    assert done["state"] == "done", done
    got = drive(checked, "openai", secret=ADMIN)
    assert got["deleted"] is True and got["admin-deleted"] is True and got["usage"] and got["costs"]
    asked = checked.process.text()
    for call in ("post /v1/organization/projects/proj_sandbox/service_accounts", "delete /v1/organization/"):
        assert call in asked
    assert checked.violations() == []


def test_pinecone_by_its_sdk_and_by_a_rotation(house, contract):  # noqa: F811
    port = rig.free_port()
    origin = ["--origin", f"http://127.0.0.1:{port}"]  # where the probe goes
    it = house(provider="pinecone", linked=False, old=console("pinecone", owner=PROJECT), options=origin)
    checked = contract("pinecone", it.sandbox.url, port)
    through(it, checked, f"client:{ADMIN}")  # a pair, which buys its token by way of the contract too
    params = ["--param", f"project_id={PROJECT}", "--param", f"token_url={checked.url}/oauth/token"]
    it.cli("credential link", "main", "--admin-credential", "checked", *params, *it.more)
    done = it.rotate("--now", "--wait")
    assert done["state"] == "done", done
    got = drive(checked, "pinecone", secret=ADMIN)
    assert got["made"]["roles"] == ["ProjectEditor"] and got["gone"] is True
    assert checked.violations() == []


def test_an_answer_that_does_not_fit_is_found(contract):
    class Liar(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"object": "list", "data": [{"id": 7}], "has_more": "no"}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", rig.free_port()), Liar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    checked = contract("openai", f"http://127.0.0.1:{server.server_port}")
    path = "/v1/organization/projects/proj_sandbox/api_keys"
    assert rig.get(checked.url + path, token="sk-any")[0] == 500
    assert rig.get(checked.url + path + "?limit=many", token="sk-any")[0] == 422
    assert rig.get(checked.url + "/v1/organization/nothing", token="sk-any")[0] == 404
    rig.until(lambda: len(checked.violations()) == 3)
    server.shutdown()
