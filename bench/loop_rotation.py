"""A key of each class replaced under load, and rotations that are killed at seeded moments."""

import random
import threading
import time

import loop_rig
import server
import tools
from loop_rig import Row

RATE, STREAMS, MOMENTS = 2_000, 32, 100
KILLS = 12  # of one rotation at most: then it is let through to its end
PATIENCE_S = 240


class Streams:
    """Clients that open one stream after the other; every fourth is a slow one that outlives the change."""

    def __init__(self, house):
        self.port, self.stop = house.gate.port, threading.Event()
        self.asked, self.broken = [0] * STREAMS, [[] for _ in range(STREAMS)]
        quick, slow = (self._closing(house.request(True, lag, 64)) for lag in (0, 40))
        raws = [slow if number % 4 == 0 else quick for number in range(STREAMS)]
        self.threads = [threading.Thread(target=self._one, args=(i, raw)) for i, raw in enumerate(raws)]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _closing(raw):
        return raw.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)

    def _one(self, number, raw):
        while not self.stop.is_set():
            self.asked[number] += 1
            got, why = b"", ""
            try:
                with server.socket.create_connection(("127.0.0.1", self.port), timeout=60) as sock:
                    sock.sendall(raw)
                    while part := sock.recv(65536):
                        got += part
            except OSError as error:
                why = str(error)
            last = b"message_stop" if b"message_start" in got else b"[DONE]"
            if not (got.startswith(b"HTTP/1.1 200") and got.endswith(b"0\r\n\r\n") and last in got) or why:
                self.broken[number].append(f"{why or 'not whole'}: {got[:60]!r}...{got[-60:]!r}")

    def end(self):
        """How many were opened, and what was wrong with those that were not whole."""
        self.stop.set()
        for thread in self.threads:
            thread.join()
        return sum(self.asked), [one for all_of_it in self.broken for one in all_of_it]


def failures(gate):
    """By the gate's own journal: calls that were refused or did not end with 200, and all calls."""
    failed = calls = 0
    for path in (gate.data / "journal").rglob("*.jsonl"):
        for line in path.read_text(errors="replace").splitlines():
            if '"t":"receipt"' in line:
                calls += 1
                failed += '"status":200' not in line
            failed += '"t":"refusal"' in line
    return failed, calls


def finish(house, rotation):
    """Until it is over; a person lends a hand where one is needed."""
    end = time.monotonic() + PATIENCE_S
    while not rotation["over"]:
        if time.monotonic() > end:
            raise server.Failed(f"the rotation is still {rotation['state']}: {rotation['trouble']}")
        house.lend_a_hand(rotation)
        time.sleep(0.2)
        rotation = house.show(rotation)
    if rotation["state"] != "done":
        raise server.Failed(f"the rotation is {rotation['state']}: {rotation['trouble']}")
    return rotation


def under_load(folder, kind, quick):
    house = loop_rig.open_house(folder, kind)
    raw = house.request_file(folder)
    tools.pace(folder, house.gate, 50, seconds=1, request=raw)  # the provider knows the key by its use
    streams = Streams(house)
    seconds = 20 if quick else 30
    if kind.provider == "x-ai":
        seconds += 30  # its old secret lives that long
    told = {}
    load = threading.Thread(
        target=lambda: told.update(tools.pace(folder, house.gate, RATE, seconds=seconds, request=raw))
    )
    load.start()
    time.sleep(2)
    start = time.monotonic()
    finish(house, house.cli("rotate", "upstream", "--now"))
    took = time.monotonic() - start
    within = load.is_alive()
    load.join()
    opened, broken = streams.end()
    behind = house.left_behind()
    house.stop()
    for one in broken[:5]:
        print(f"  broken stream: {one}")
    if not within:
        print(f"  the load of {kind.name} ended before the rotation: it took {took:.0f} s")
    failed, calls = failures(house.gate)
    failed = max(failed, told["failed"] + len(broken))
    rate = told["requests"] / told["seconds"]
    yield Row(
        f"calls failed in a rotation, class {kind.name}, {RATE:,} calls/s asked for, {STREAMS} streams",
        "0",
        f"{failed} of {calls:,} ({opened:,} streams; {rate:,.0f} calls/s; {took:.0f} s; {behind} keys left)",
    )


def killed(folder, kind, moments):
    """kill -9, restart, calls: what failed after a restart, and what stays behind at the provider."""
    house = loop_rig.open_house(folder, kind)
    raw = house.request_file(folder)
    tools.pace(folder, house.gate, 50, seconds=1, request=raw)
    dice = random.Random(f"{kind.name}/1")
    kills = failed = asked = behind = 0
    while kills < moments:
        rotation = house.cli("rotate", "upstream", "--now")
        of_this = 0
        while not rotation["over"] and of_this < KILLS and kills < moments:
            time.sleep(dice.uniform(0, 1.0))
            house.gate.popen.kill()
            house.gate.popen.wait()
            house.gate.serve()
            kills, of_this = kills + 1, of_this + 1
            told = tools.pace(folder, house.gate, 200, seconds=1, request=raw)
            failed, asked = failed + told["failed"], asked + told["requests"] + told["failed"]
            rotation = house.show(rotation)
            house.lend_a_hand(rotation)
        finish(house, rotation)
        told = tools.pace(folder, house.gate, 200, seconds=1, request=raw)
        failed, asked = failed + told["failed"], asked + told["requests"] + told["failed"]
        behind += max(0, house.left_behind())
    house.stop()
    yield Row(
        f"calls failed after restart, {moments} seeded kill -9 in rotations of class {kind.name}",
        "0",
        f"{failed} of {asked:,}; {behind} keys left behind",
    )
