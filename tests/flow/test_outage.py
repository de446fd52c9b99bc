"""The disk fills up, the store is gone: nothing is spent meanwhile, and all goes on by itself afterwards."""

import os
import sqlite3
import subprocess

import pytest
import rig


def test_a_store_that_cannot_be_written_lets_nothing_through_and_recovers(fresh):
    gate, sandbox = fresh()
    key = gate.key("--budget", "1usd/day")["key"]
    other = sqlite3.connect(gate.data / "claviger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    status, headers, body = rig.ask(gate, "openai", key)
    assert status == 503 and b"store_unavailable" in body, body
    assert sandbox.received() == 0
    other.execute("ROLLBACK")
    other.close()
    assert rig.until(lambda: rig.ask(gate, "openai", key)[0] == 200)
    gate.nothing_in_flight()
    assert gate.settled() == sandbox.cost()


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk needs root to be mounted")
def test_a_full_disk_lets_nothing_through_and_recovers(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], check=True)
    try:
        sandbox = rig.Sandbox(tmp_path)
        gate = rig.Gate(disk, sandbox)
        key = gate.key()["key"]
        assert rig.ask(gate, "openai", key)[0] == 200
        filler = disk / "filler"
        descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
        with pytest.raises(OSError):
            while True:
                os.write(descriptor, b"x" * 4096)
        os.close(descriptor)
        # Each lane may first use up what room the last page of its journal has.
        refused = 0
        for _ in range(400):
            status, _, body = rig.ask(gate, "openai", key)
            refused = refused + 1 if status == 503 else 0
            if refused == 20:
                break
        assert refused == 20 and b"journal_unavailable" in body, body
        before = sandbox.received()
        assert [rig.ask(gate, "openai", key)[0] for _ in range(20)] == [503] * 20
        assert sandbox.received() == before
        filler.unlink()
        assert rig.until(lambda: rig.ask(gate, "openai", key)[0] == 200)
        assert gate.stop() == 0, gate.process.text()
        assert gate.cli("journal", "verify", "--data", gate.data, "--json")["ok"] is True
        assert sandbox.stop() == 0
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)
