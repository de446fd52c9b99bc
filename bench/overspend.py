"""The correctness cell: one key with a budget, 200 requests at once, a fifth of the clients gone early."""

import asyncio
import json
import urllib.request

import ours
import question
import server

AT_ONCE = 200
SHARE = 50  # the budget is worth so many requests
ABORTED = 5  # every fifth client goes away
MOST_WAVES = 20


class Sandbox(server.Server):
    """The provider's double, whose own ledger is what was really spent."""

    tls, headers = False, {}

    def __init__(self, folder):
        self.port = server.free_port()
        super().__init__("sandbox", [ours.BIN, "sandbox", "--listen", f"127.0.0.1:{self.port}"], folder)
        self.ready_when(lambda: server.listens(self.port))

    def get(self, path):
        url = f"http://127.0.0.1:{self.port}/_sandbox/{path}"
        return json.load(urllib.request.urlopen(url, timeout=10))

    def spent_nanousd(self):
        server.until(lambda: self.get("stats")["in_flight"] == 0)
        return self.get("ledger")["total_cost_nanousd"]


def request(key, stream):
    body = question.body(1024, stream)
    head = f"POST {question.PATH} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return (head + body).encode()


async def ask(port, raw, leave_early):
    """One request; its status, 0 for a client that went away before the answer was whole."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(raw)
        await writer.drain()
        first = await reader.read(64)
        if not leave_early:
            while await reader.read(65536):
                pass
        status = int(first.split(b" ")[1])
        return 0 if leave_early and status == 200 else status
    finally:
        writer.transport.abort()


async def wave(port, key):
    jobs = []
    for number in range(AT_ONCE):
        raw = request(key, stream=number % 2 == 0)
        jobs.append(ask(port, raw, leave_early=number % ABORTED == 0))
    return await asyncio.gather(*jobs)


def spend(gate, sandbox):
    """(spent, budget) in nano-USD: waves of requests until a whole wave is refused."""
    before = sandbox.spent_nanousd()
    plenty = gate.new_key("probe", f"{ours.PLENTY}/total")
    asyncio.run(ask(gate.port, request(plenty, stream=False), leave_early=False))
    one = sandbox.spent_nanousd() - before
    budget = one * SHARE
    key = gate.new_key("overspend", f"{budget / 1_000_000_000:.9f}usd/total")
    before = sandbox.spent_nanousd()
    for _ in range(MOST_WAVES):
        statuses = asyncio.run(wave(gate.port, key))
        if not any(status in (0, 200) for status in statuses):
            break
    return sandbox.spent_nanousd() - before, budget
