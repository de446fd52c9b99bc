"""One run of the rig: a folder that is removed at the end, and servers that are stopped at the end."""

import contextlib
import fcntl
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import nginx
import ours
import peers
import server
import tls

LOCK = os.environ.get("CLAVIGER_BENCH_LOCK")


def raise_descriptors(wanted=65_536):
    """Ten thousand streams need two descriptors each in a proxy; only root may ask for that many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


@contextlib.contextmanager
def turn():
    """Where several measure on one machine, they name one file in CLAVIGER_BENCH_LOCK and take turns."""
    if not LOCK:
        yield
        return
    with open(LOCK, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Rig:
    """Starts what a measurement needs, once, and stops all of it in the end."""

    def __init__(self, workers=1):
        self.workers = workers
        self.folder = Path(tempfile.mkdtemp(prefix="claviger-bench-"))
        self.servers = {}
        self.data = {}  # directories made beforehand, by name
        self.notes = []
        self.begun = time.monotonic()
        self.load_before = os.getloadavg()[0]
        self.descriptors = raise_descriptors()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in reversed(list(self.servers)):
            self.stop(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def say(self, text):
        print(f"bench: {time.monotonic() - self.begun:5.0f} s  {text}", file=sys.stderr, flush=True)

    def note(self, text):
        """Something that the table must say, such as a peer that is missing and why."""
        self.say(text)
        self.notes.append(text)

    def start(self, name, make):
        """The server of that name, started when it does not run yet."""
        if name not in self.servers:
            self.servers[name] = make()
        return self.servers[name]

    def stop(self, *names):
        for name in names:
            if started := self.servers.pop(name, None):
                started.stop()

    def upstream(self):
        return self.start("upstream", lambda: nginx.upstream(self.folder))

    def nginx(self):
        return self.start("nginx", lambda: nginx.proxy(self.folder, self.upstream(), workers=self.workers))

    def haproxy(self):
        """HAProxy, or None when it is not installed."""
        try:
            return self.start("haproxy", lambda: peers.Haproxy(self.folder, self.upstream(), self.workers))
        except server.Skipped as reason:
            self.note(f"haproxy left out: {reason}")
            return None

    def gate(self, name="claviger", **options):
        return self.start(
            name, lambda: ours.Gate(name, self.folder, self.upstream(), workers=self.workers, **options)
        )

    def over_tls(self):
        """(gate, nginx), both with TLS on both sides."""
        made = self.start_authority()
        behind = self.start("upstream-tls", lambda: nginx.upstream(self.folder, made))
        gate = self.start(
            "claviger-tls",
            lambda: ours.Gate("claviger-tls", self.folder, behind, tls=made, workers=self.workers),
        )
        peer = self.start("nginx-tls", lambda: nginx.proxy(self.folder, behind, made, self.workers))
        return gate, peer

    def start_authority(self):
        if not hasattr(self, "authority"):
            self.authority = tls.make(self.folder)
        return self.authority
