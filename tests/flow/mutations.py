"""Requests bent in ways that have smuggled requests past other gateways; the same for the same seed."""

import json
import random

HEADERS = [
    "Content-Length: 0", "Content-Length: 5", "Content-Length: +5", "Content-Length: 5, 5",
    "Content-Length: ", "Content-Length : 5", " Content-Length: 5", "Content-Length:\t5",
    "content-length: 0x5", "Content_Length: 5",
    "Transfer-Encoding: chunked", "Transfer-Encoding : chunked", "Transfer-Encoding: xchunked",
    "Transfer-Encoding:\x0bchunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity",
    "transfer-encoding: CHUNKED", "Transfer-Encoding\x00: chunked", "Transfer-Encoding: \"chunked\"",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "X: y\r\n folded", "X: y\r\n\tContent-Length: 9",
    "Connection: close", "Connection: keep-alive, content-length", "Connection: transfer-encoding",
    "Connection: authorization", "Upgrade: h2c", "Expect: 100-continue", "Expect: 200-ok",
    "Trailer: x",
    "TE: trailers", "Host: other.test", "Host:", ": empty", "NoColon", "X-\x80: 1", "X: \x00", "X: \xff",
    "X: a\rContent-Length: 3", "X: a\nContent-Length: 3", "X\r: a", "Proxy-Connection: keep-alive",
]  # fmt: skip
SIZES = ["{:X}", "0{:x}", "0x{:x}", "+{:x}", "-{:x}", " {:x}", "{:x} ", "{:x};a=b", "{:x};\x00", "{:x}\t",
         "{:x};a=\"\r\n\"", "1{:016x}", "{:x}\r", ""]  # fmt: skip
ENDS = [b"\n", b"\r", b"\r\r\n", b"\r\n\r\n", b" \r\n", b"\x00\r\n", b""]
BYTES = [b"\x00", b"\n", b"\r", b"\r\n", b" ", b"\t", b":", b"\x7f", b"\x80", b"\xff", b"0", b"\x0b", b"\x85"]
LINES = ["POST  {} HTTP/1.1",
         "POST {}  HTTP/1.1", "POST\t{} HTTP/1.1", "POST {} HTTP/1.0", "POST {} HTTP/1.1 ",
         " POST {} HTTP/1.1", "POST http://a.test{} HTTP/1.1", "POST {} HTTP/1.10",
         "POST {} http/1.1", "POST {}",
         "post {} HTTP/1.1", "GET {} HTTP/1.1", "POST {}#f HTTP/1.1", "POST {}\x00 HTTP/1.1"]  # fmt: skip
TRAILERS = ["X: y\r\n", "Content-Length: 3\r\n", " \r\n"]
PATH = "/v1/chat/completions"


class Mutator:
    """Makes (bytes, how many requests may be in them)."""

    def __init__(self, seed, key):
        self.random = random.Random(seed)
        self.key = key
        question = {"model": "gpt-4o-mini", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
        self.body = json.dumps(question)

    def one(self):
        whole, count = self.request(), 1
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            whole = self.random.choice([self.end, self.insert, self.delete, self.swap, self.double])(whole)
        while self.random.random() < 0.15:
            whole += self.random.choice([b"", b"\r\n", b"\n", b"0\r\n\r\n", b"X"]) + self.request()
            count += 1
        return whole, count

    def request(self):
        pick, chance = self.random.choice, self.random.random
        line = pick(LINES) if chance() < 0.1 else "POST {} HTTP/1.1"
        lines = ["Host: gate.test", f"Authorization: Bearer {self.key}", "Content-Type: application/json"]
        body = self.body
        if chance() < 0.5:
            off = pick([-1, 1, 7]) if chance() < 0.1 else 0
            lines.append(f"Content-Length: {len(body) + off}")
        else:
            lines.append("Transfer-Encoding: chunked")
            body = self.chunked(body)
        while chance() < 0.3:
            lines.insert(self.random.randrange(len(lines) + 1), pick(HEADERS))
        return "\r\n".join([line.format(PATH), *lines, "", body]).encode("latin-1")

    def chunked(self, text):
        out = ""
        while text:
            size = min(len(text), self.random.randrange(1, 80))
            form = self.random.choice(SIZES) if self.random.random() < 0.1 else "{:x}"
            out += form.format(size) + "\r\n" + text[:size] + "\r\n"
            text = text[size:]
        trailer = self.random.choice(TRAILERS) if self.random.random() < 0.1 else ""
        return out + "0\r\n" + trailer + "\r\n"

    def place(self, whole):
        """Somewhere in the head, mostly; the body is JSON, which is another test's matter."""
        limit = whole.find(b"\r\n\r\n") + 4 if self.random.random() < 0.8 else len(whole)
        return self.random.randrange(max(limit, 1))

    def end(self, whole):
        ends = [at for at in range(len(whole)) if whole.startswith(b"\r\n", at)]
        at = self.random.choice(ends) if ends else 0
        return whole[:at] + self.random.choice(ENDS) + whole[at + 2 :]

    def insert(self, whole):
        at = self.place(whole)
        return whole[:at] + self.random.choice(BYTES) + whole[at:]

    def delete(self, whole):
        at = self.place(whole)
        return whole[:at] + whole[at + 1 :]

    def swap(self, whole):
        at = self.place(whole)
        return whole[:at] + bytes([self.random.randrange(256)]) + whole[at + 1 :]

    def double(self, whole):
        lines = whole.split(b"\r\n")
        at = self.random.randrange(len(lines))
        return b"\r\n".join(lines[: at + 1] + lines[at:])
