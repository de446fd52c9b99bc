"""Behind the gate a recorder of raw bytes: of thousands of mutated requests either nothing arrives there, or
exactly one request, about whose framing two independent parsers (h11, and llhttp in Node) agree.

CLAVIGER_MUTATIONS and CLAVIGER_SEED make it larger or another."""

import asyncio
import base64
import json
import os
import subprocess
from pathlib import Path

import h11

import mutations
import rig

COUNT = int(os.environ.get("CLAVIGER_MUTATIONS", "20000"))
SEED = int(os.environ.get("CLAVIGER_SEED", "1"))
AT_ONCE = 50

ANSWER = json.dumps({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
RAW_ANSWER = (
    f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(ANSWER)}\r\n"
    f"connection: close\r\n\r\n{ANSWER}"
).encode()


class Recorder:
    """Keeps what came on each connection, to the last byte; answers once and goes on reading."""

    def __init__(self):
        self.seen = []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=1000)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def serve(self, reader, writer):
        got = b""
        answered = False
        try:
            while part := await reader.read(65536):
                got += part
                if not answered and self.complete(got):
                    answered = True
                    writer.write(RAW_ANSWER)
                    await writer.drain()
        except ConnectionError:
            pass
        if got:
            self.seen.append(got)
        writer.close()

    @staticmethod
    def complete(got):
        head, blank, body = got.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return bool(blank) and length.isdigit() and len(body) >= int(length)


async def send(port, raw):
    """Everything, then the end of what is sent; what came back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        writer.write(raw)
        writer.write_eof()
        while part := await asyncio.wait_for(reader.read(65536), rig.PATIENCE):
            got += part
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
    return got


def by_h11(raw):
    """(method, target, headers, body) when the bytes are one request and nothing else."""
    server = h11.Connection(h11.SERVER)
    server.receive_data(raw)
    head, body = None, b""
    while True:
        event = server.next_event()
        if isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert server.trailing_data[0] == b"", f"more than one request: {raw!r}"
            headers = sorted((name.decode(), value.decode("latin-1")) for name, value in head.headers)
            return head.method.decode(), head.target.decode(), headers, body
        else:
            raise AssertionError(f"h11 sees {event} in {raw!r}")


def by_llhttp(recorded):
    """The same for each, by Node."""
    lines = "\n".join(base64.b64encode(raw).decode() for raw in recorded)
    script = Path(__file__).with_name("strict_recorder.mjs")
    done = subprocess.run(["node", script], input=lines, capture_output=True, text=True, check=True)
    answers = done.stdout.rstrip("\n").split("\n")  # a header may hold other line ends
    for raw, line in zip(recorded, answers, strict=True):
        answer = json.loads(line)
        assert answer["error"] is None and len(answer["requests"]) == 1, (answer, raw)
        one = answer["requests"][0]
        flat = one["headers"]
        headers = sorted((name.lower(), value) for name, value in zip(flat[::2], flat[1::2], strict=True))
        yield one["method"], one["target"], headers, base64.b64decode(one["body"])


async def batch(gate, recorder, cases):
    """One batch at once; each client sees as many answers as requests of its went upstream."""
    before = len(recorder.seen)
    answers = await asyncio.gather(*[send(gate.port, raw) for raw, _ in cases])
    passed = [answer.count(b"HTTP/1.1 200 OK") for answer in answers]
    for (raw, most), count in zip(cases, passed, strict=True):
        assert count <= most, f"{count} requests were seen in {raw!r}"
    # A recorder's connection ends when the gate has read its answer.
    for _ in range(500):
        if len(recorder.seen) - before >= sum(passed):
            break
        await asyncio.sleep(0.01)
    assert len(recorder.seen) - before == sum(passed), "what went upstream is what was answered"
    return sum(passed)


def test_what_passes_the_gate_is_one_request_for_every_parser(tmp_path):
    gate = rig.Gate(tmp_path)
    try:
        key = gate.key("--budget", "1000usd/day")["key"]
        mutator = mutations.Mutator(SEED, key)

        async def all_of_them():
            async with Recorder() as recorder:
                url = f"http://127.0.0.1:{recorder.port}"
                gate.credential("openai-dev", "openai", url, rig.provider_key("openai"))
                passed = 0
                for _ in range(0, COUNT, AT_ONCE):
                    passed += await batch(gate, recorder, [mutator.one() for _ in range(AT_ONCE)])
                return passed, recorder.seen

        passed, seen = asyncio.run(all_of_them())
        assert COUNT // 50 < passed < COUNT, "some mutations must pass and some must not"
        recorded = sorted(set(seen))
        for raw, other in zip(recorded, by_llhttp(recorded), strict=True):
            assert by_h11(raw) == other
            assert key.encode() not in raw
    finally:
        assert gate.stop() == 0, gate.process.text()
