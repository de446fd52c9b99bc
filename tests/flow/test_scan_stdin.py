"""claviger scan --stdin: whole, as it flows, and copied through with secrets masked."""

import json
import os
import subprocess
import threading

import leaks
import rig

PEM = "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(leaks.letters(i, 64) for i in range(20))
PEM += "\n-----END RSA PRIVATE KEY-----\n"


def test_standard_input_is_scanned():
    key = leaks.openai_key()
    code, report, _ = leaks.scan("--stdin", stdin=f"a\nb {key}\n")
    assert code == 1
    assert [(f["file"], f["line"], f["column"]) for f in report["findings"]] == [("stdin", 2, 3)]
    code, report, _ = leaks.scan("--stdin", stdin="nothing here\n")
    assert (code, report["stats"]["bytes"]) == (0, 13)


def test_a_copy_goes_through_with_secrets_masked_and_nothing_else_changed():
    keys = [leaks.openai_key(i) for i in range(3)]
    text = f"start {keys[0]} middle\n\x00\xff{keys[1]}|{keys[2]} end without newline"
    code, out, err = leaks.run("scan", "--stdin", "--redact", stdin=text.encode("latin1"))
    assert code == 1 and "3 findings" in err
    masked = text
    for key in keys:
        assert key not in out + err
        masked = masked.replace(key, "\0")
    pieces = out.split("[REDACTED:")
    assert len(pieces) == 4
    got = "\0".join([pieces[0]] + [piece.partition("]")[2] for piece in pieces[1:]])
    assert got == masked.encode("latin1").decode(errors="replace")


def test_a_large_copy_is_the_same_byte_for_byte():
    data = os.urandom(1 << 20) * 20
    command = [rig.BIN, "scan", "--stdin", "--redact"]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode == 0:
        assert done.stdout == data
    key = leaks.openai_key().encode()
    line = b"y" * 80 + b"\n"
    text = line * 250_000
    for at in (8 * 1024 * 1024 - 50, 16 * 1024 * 1024 - 32 * 1024 - 10):
        text = text[:at] + b" " + key + b" " + text[at:]
    done = subprocess.run(command, input=text, capture_output=True, check=False)
    assert done.returncode == 1 and key not in done.stdout
    rule = done.stdout[done.stdout.index(b"[REDACTED:") :].partition(b"]")[0] + b"]"
    assert done.stdout == text.replace(key, rule)


class Follow:
    """A running `scan --stdin --follow`, fed line by line."""

    def __init__(self, *options):
        command = [rig.BIN, "scan", "--stdin", "--follow", *options]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.lines = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in iter(self.process.stdout.readline, b""):
            self.lines.append(line.decode())

    def feed(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        self.reader.join(rig.PATIENCE)
        error = self.process.stderr.read().decode()
        return self.process.wait(rig.PATIENCE), error


def test_a_followed_stream_is_reported_line_by_line():
    follow = Follow("--format", "jsonl")
    follow.feed("nothing\n")
    follow.feed(f"log: {leaks.openai_key('1')}\n")
    rig.until(lambda: len(follow.lines) == 1)
    follow.feed("half a line ")
    follow.feed(f"{leaks.openai_key('2')[:50]}")
    follow.feed(f"{leaks.openai_key('2')[50:]} and on\n")
    rig.until(lambda: len(follow.lines) == 2)
    code, err = follow.end()
    found = [json.loads(line) for line in follow.lines]
    assert code == 1 and "2 findings" in err
    assert [f["line"] for f in found] == [2, 3]
    assert [f["secret_sha256"] for f in found] == [leaks.sha256(leaks.openai_key(i)) for i in "12"]


def test_a_followed_copy_passes_each_line_at_once_and_holds_back_a_block_until_it_ends():
    follow = Follow("--redact")
    follow.feed("one\n")
    rig.until(lambda: follow.lines == ["one\n"])
    follow.feed(f"key {leaks.openai_key()}\n")
    rig.until(lambda: len(follow.lines) == 2)
    head, tail = PEM[:200], PEM[200:]
    follow.feed(head)
    follow.feed(tail + "after\n")
    rig.until(lambda: follow.lines[-1] == "after\n")
    code, err = follow.end()
    text = "".join(follow.lines)
    assert code == 1 and leaks.openai_key() not in text + err
    assert "one\n" in text and "[REDACTED:" in text


def test_whoever_stops_reading_ends_it():
    key = leaks.openai_key()
    line = f"{key}\n".encode() * 1000
    process = subprocess.Popen(
        [rig.BIN, "scan", "--stdin", "--redact", "--follow"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    process.stdout.close()
    try:
        for _ in range(200):
            process.stdin.write(line)
        process.stdin.close()
    except BrokenPipeError:
        pass
    assert process.wait(rig.PATIENCE) != 0
