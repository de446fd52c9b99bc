"""Processes that the rig starts: on a free port of loopback, with a log, ended by their own id."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import cpu

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 60

_PR_SET_PDEATHSIG = 1
_ports = random.Random(os.getpid())
_libc = ctypes.CDLL(None)


class Failed(Exception):
    """Something that the rig needs did not start or did not answer; the text says what."""


class Skipped(Exception):
    """A peer that cannot be measured here; the text is the reason that is printed."""


def free_port():
    """A port below the range that the kernel hands out to clients."""
    while True:
        port = _ports.randrange(10000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def command(*arguments, stdin="", cwd=None):
    """One command that must succeed; what it printed."""
    words = [str(argument) for argument in arguments]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, cwd=cwd)
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)}: exit {done.returncode}: {(done.stdout + done.stderr).strip()}")
    return done.stdout


def until(what, patience_s=PATIENCE_S, step_s=0.01):
    end = time.monotonic() + patience_s
    while not what():
        if time.monotonic() > end:
            raise Failed(f"waited {patience_s} s in vain")
        time.sleep(step_s)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def status_of(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _end_with_the_rig():
    """Asks the kernel to end this process when the rig is gone, however it went."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Server:
    """A running program and its children."""

    def __init__(self, name, arguments, folder, env=None, cwd=None):
        self.name = name
        self.log = Path(folder) / f"{name}.log"
        self.started = time.monotonic()
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen(
                [str(argument) for argument in arguments],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=cwd,
                preexec_fn=_end_with_the_rig,
            )  # fmt: skip

    def ready_when(self, answers, patience_s=PATIENCE_S, step_s=0.01):
        """Waits until `answers()` is true; tells the log when the program ends before."""

        def check():
            if self.popen.poll() is not None:
                tail = self.log.read_text(errors="replace")[-800:]
                raise Failed(f"{self.name} ended with {self.popen.returncode}: {tail}")
            return answers()

        until(check, patience_s, step_s)
        return self

    def pids(self):
        return cpu.family(self.popen.pid)

    def rss_mib(self):
        return cpu.rss_bytes(self.pids()) / (1 << 20)

    def stop(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
