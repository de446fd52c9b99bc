"""Operating a running gate: the configuration read again, a backup taken, keys inside the vault replaced."""

import asyncio
import json
import signal
import socket
import ssl
import threading

import rig
from test_tls import SecureGate, openssl, papers  # noqa: F401  (a fixture)

PRICE = """
[[price]]
provider = "openai"
models = ["reload-model"]
valid_from = "2026-01-01"
source = "flow"
input = "1"
output = "2"
context = 100000
max_output = 4096
"""


def hup(gate):
    """Has the configuration read again and waits until the log says how that went."""
    seen = len(gate.process.text())
    gate.process.popen.send_signal(signal.SIGHUP)

    def told():
        return [line for line in gate.process.text()[seen:].splitlines() if "configuration" in line]

    return rig.until(told)[0]


def test_a_reload_takes_new_prices_and_drops_no_running_stream(tmp_path):
    sandbox = rig.Sandbox(tmp_path)
    gate = rig.Gate(tmp_path, sandbox, config="")
    key = gate.key("--budget", "5usd/day")["key"]
    status, _, body = rig.ask(gate, "openai", key, model="reload-model")
    assert (status, json.loads(body)["error"]["code"]) == (403, "unpriced_model")
    text = "Say something. [[sandbox:lag=20,tokens=100]]"
    raw = rig.ask_bytes("openai", key, text, stream=True, max_tokens=200)
    answers = []
    stream = threading.Thread(target=lambda: answers.append(asyncio.run(rig.exchange(gate.port, raw))))
    stream.start()
    rig.until(lambda: sandbox.stats()["in_flight"] == 1)
    (tmp_path / "claviger.toml").write_text(PRICE)
    assert "read again" in hup(gate)
    assert rig.ask(gate, "openai", key, model="reload-model")[0] != 403
    stream.join(rig.PATIENCE)
    assert answers[0].endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n"), answers[0][-200:]
    assert gate.stop() == 0 and sandbox.stop() == 0


def test_a_configuration_that_cannot_be_used_leaves_the_old_one_in_force(tmp_path):
    sandbox = rig.Sandbox(tmp_path)
    gate = rig.Gate(tmp_path, sandbox, config=PRICE)
    key = gate.key("--budget", "5usd/day")["key"]
    (tmp_path / "claviger.toml").write_text("[server]\nsurprise = 1\n")
    line = hup(gate)
    assert "surprise" in line and "stays in force" in line
    assert rig.ask(gate, "openai", key, model="reload-model")[0] != 403
    assert gate.stop() == 0 and sandbox.stop() == 0


def serial(gate):
    with socket.create_connection(("localhost", gate.port)) as plain:
        with gate.context.wrap_socket(plain, server_hostname="localhost") as secure:
            return secure.getpeercert()["serialNumber"]


def test_a_renewed_certificate_is_taken_over(tmp_path, papers):  # noqa: F811
    for name in ("ca.pem", "ca.key", "gate.pem", "gate.key", "gate.csr", "ext"):
        (tmp_path / name).write_bytes((papers / name).read_bytes())
    sandbox = rig.Sandbox(tmp_path)
    gate = SecureGate(tmp_path, tmp_path, sandbox)
    before = serial(gate)
    openssl(tmp_path, "x509", "-req", "-in", "gate.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-out", "gate.pem", "-days", "2", "-CAcreateserial", "-extfile", "ext")  # fmt: skip
    assert "read again" in hup(gate)
    assert serial(gate) != before
    assert gate.stop() == 0 and sandbox.stop() == 0


def test_a_service_manager_is_told_how_the_gate_stands(tmp_path, monkeypatch):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "notify"))
    listener.settimeout(rig.PATIENCE)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    gate = rig.Gate(tmp_path, config="")
    told = []

    def until_told(what):
        while not any(what in state for state in told):
            told.append(listener.recv(4096).decode())

    until_told("READY=1")
    assert told[0].startswith("EXTEND_TIMEOUT_USEC="), told
    told.clear()
    hup(gate)
    until_told("READY=1")
    assert told[0].startswith("RELOADING=1\nMONOTONIC_USEC="), told
    assert gate.stop() == 0
    until_told("STOPPING=1")


def test_a_backup_of_a_running_gate_goes_on_where_it_was_taken(tmp_path):
    sandbox = rig.Sandbox(tmp_path)
    gate = rig.Gate(tmp_path, sandbox)
    key = gate.key("--budget", "5usd/day")
    raw = rig.ask_bytes("openai", key["key"])

    async def traffic():
        return await rig.gather([rig.exchange(gate.port, raw) for _ in range(40)], at_once=8)

    load = threading.Thread(target=lambda: asyncio.run(traffic()))
    load.start()
    made = gate.cli("backup", "--data", gate.data, "--output", tmp_path / "backup.tar", "--json")
    load.join(rig.PATIENCE)
    assert made["files"] > 4
    assert gate.stop() == 0
    copy = tmp_path / "copy"
    gate.cli("restore", "--input", tmp_path / "backup.tar", "--data", copy, "--json")
    (copy / "root.key").write_bytes((gate.data / "root.key").read_bytes())
    (copy / "root.key").chmod(0o600)
    again = rig.Gate.__new__(rig.Gate)
    again.__dict__ = {"folder": tmp_path, "data": copy, "sandbox": sandbox, "options": [], "outputs": []}
    again.start()
    before = again.settled()
    assert rig.ask(again, "openai", key["key"])[0] == 200
    rig.until(lambda: again.settled() > before)
    assert again.cli("journal", "verify", "--data", copy, "--json")["ok"] is True
    assert again.stop() == 0 and sandbox.stop() == 0


def test_keys_inside_the_vault_are_replaced_while_calls_pass(tmp_path):
    sandbox = rig.Sandbox(tmp_path)
    gate = rig.Gate(tmp_path, sandbox)
    raw = rig.ask_bytes("openai", gate.key()["key"])
    over = threading.Event()
    failed = []

    def use():
        while not over.is_set():
            status, _, body = rig.parse_answer(asyncio.run(rig.exchange(gate.port, raw)))
            if status != 200:
                failed.append(body)

    user = threading.Thread(target=use)
    user.start()
    for term in range(2, 6):
        done = gate.cli("vault", "rekey", "--data", gate.data, "--json")
        assert (done["term"], done["rewrapped"], done["damaged"]) == (term, 3, [])
    over.set()
    user.join(rig.PATIENCE)
    assert not failed
    assert gate.stop() == 0
    gate.start()
    assert rig.parse_answer(asyncio.run(rig.exchange(gate.port, raw)))[0] == 200
    assert gate.stop() == 0 and sandbox.stop() == 0
