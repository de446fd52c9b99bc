"""One run of the rig: a folder that is removed at the end, and servers that are stopped at the end."""

import shutil
import sys
import tempfile
import time
from pathlib import Path

import nginx
import ours


class Rig:
    """Starts what a measurement needs, once, and stops all of it in the end."""

    def __init__(self, workers=1):
        self.workers = workers
        self.folder = Path(tempfile.mkdtemp(prefix="claviger-bench-"))
        self.servers = {}
        self.begun = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in list(self.servers):
            self.stop(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def say(self, text):
        print(f"bench: {time.monotonic() - self.begun:5.0f} s  {text}", file=sys.stderr, flush=True)

    def start(self, name, make):
        """The server of that name, started when it does not run yet."""
        if name not in self.servers:
            self.servers[name] = make()
        return self.servers[name]

    def stop(self, name):
        server = self.servers.pop(name, None)
        if server:
            server.stop()

    def upstream(self):
        return self.start("upstream", lambda: nginx.upstream(self.folder))

    def nginx(self):
        return self.start("nginx", lambda: nginx.proxy(self.folder, self.upstream(), workers=self.workers))

    def gate(self):
        return self.start(
            "claviger", lambda: ours.Gate("claviger", self.folder, self.upstream(), workers=self.workers)
        )
