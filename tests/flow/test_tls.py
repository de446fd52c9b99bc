"""TLS on both sides: a gate in front of a gate, with certificates of the test's own authority."""

import json
import ssl
import subprocess
import urllib.error
import urllib.request

import openai
import pytest
import rig


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """A private authority and a certificate of it for localhost."""
    folder = tmp_path_factory.mktemp("papers")
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-days", "2", "-subj", "/CN=flow authority")  # fmt: skip
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "gate.key", "-out", "gate.csr",
            "-subj", "/CN=localhost")  # fmt: skip
    (folder / "ext").write_text("subjectAltName=DNS:localhost\n")
    openssl(folder, "x509", "-req", "-in", "gate.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-out", "gate.pem", "-days", "2", "-CAcreateserial", "-extfile", "ext")  # fmt: skip
    return folder


class SecureGate(rig.Gate):
    """A gate whose own doors speak TLS."""

    def __init__(self, folder, papers, sandbox):
        self.context = ssl.create_default_context(cafile=papers / "ca.pem")
        config = f'[server]\ntls_cert = "{papers}/gate.pem"\ntls_key = "{papers}/gate.key"\n'
        super().__init__(folder, sandbox, config=config)

    def ready(self):
        assert self.process.alive(), self.process.text()
        try:
            url = f"https://localhost:{self.admin_port}/readyz"
            return urllib.request.urlopen(url, context=self.context, timeout=5).status == 200
        except OSError:
            return False


@pytest.fixture
def secure(tmp_path, papers):
    (tmp_path / "secure").mkdir()
    sandbox = rig.Sandbox(tmp_path / "secure")
    gate = SecureGate(tmp_path / "secure", papers, sandbox)
    yield gate
    assert gate.stop() == 0, gate.process.text()
    assert sandbox.stop() == 0


def test_an_sdk_talks_tls_to_the_gate(secure, papers):
    key = secure.key()["key"]
    client = openai.OpenAI(
        api_key=key,
        base_url=f"https://localhost:{secure.port}/v1",
        http_client=openai.DefaultHttpxClient(verify=secure.context),
        max_retries=0,
    )
    messages = [{"role": "user", "content": "hello"}]
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
    assert answer.usage.total_tokens > 0
    chunks = list(client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"


def in_front_of(tmp_path, secure, host, config):
    """A plain gate whose provider is the secure gate; returns (status, body) of one question through both."""
    folder = tmp_path / "front"
    folder.mkdir()
    gate = rig.Gate(folder, config=config)
    try:
        inner = secure.key()["key"]
        gate.credential("inner", "openai", f"https://{host}:{secure.port}", inner)
        path, body = rig.question("openai")
        request = urllib.request.Request(
            gate.url + path,
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json", "authorization": f"Bearer {gate.key()['key']}"},
        )
        try:
            answer = urllib.request.urlopen(request, timeout=rig.PATIENCE)
            return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
    finally:
        assert gate.stop() == 0, gate.process.text()


def test_an_upstream_of_a_known_authority_is_reached(tmp_path, secure, papers):
    status, body = in_front_of(tmp_path, secure, "localhost", f'[upstream]\nca_file = "{papers}/ca.pem"\n')
    assert status == 200, body


def test_an_upstream_of_an_unknown_authority_gets_no_byte(tmp_path, secure):
    status, body = in_front_of(tmp_path, secure, "localhost", "")
    assert status == 502 and secure.sandbox.received() == 0, body


def test_an_upstream_with_another_name_gets_no_byte(tmp_path, secure, papers):
    status, body = in_front_of(tmp_path, secure, "127.0.0.1", f'[upstream]\nca_file = "{papers}/ca.pem"\n')
    assert status == 502 and secure.sandbox.received() == 0, body


def test_an_old_protocol_is_not_spoken(secure):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"localhost:{secure.port}", "-tls1_1",
         "-cipher", "ALL:@SECLEVEL=0"],
        input=b"", capture_output=True, timeout=rig.PATIENCE,
    )  # fmt: skip
    assert done.returncode != 0
