"""Made-up keys and small helpers for the tests of the scanner."""

import hashlib
import json
import random
import string
import subprocess

import rig

LETTERS = string.ascii_letters + string.digits


def letters(seed, count):
    """Letters and digits as a key generator would choose them; the same for the same seed."""
    return "".join(random.Random(seed).choices(LETTERS, k=count))


def openai_key(seed="a"):
    """A key of the shape of OpenAI's project keys that nobody was ever given."""
    return f"sk-proj-{letters(f'openai {seed}', 74)}T3BlbkFJ{letters(f'tail {seed}', 74)}"


def anthropic_key(seed="a"):
    return f"sk-ant-api03-{letters(f'anthropic {seed}', 93)}AA"


def sha256(secret):
    return hashlib.sha256(secret.encode()).hexdigest()


def run(*arguments, stdin=b"", cwd=None, env=None, fds=()):
    """One command; (exit code, stdout, stderr) as text."""
    data = stdin if isinstance(stdin, bytes) else stdin.encode()
    done = subprocess.run(
        [rig.BIN, *[str(argument) for argument in arguments]],
        input=data, capture_output=True, timeout=rig.PATIENCE, cwd=cwd, env=env, pass_fds=tuple(fds),
    )  # fmt: skip
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def scan(*arguments, **options):
    """A scan with the JSON report; (exit code, report, stderr)."""
    code, out, err = run("scan", *arguments, "--format", "json", **options)
    return code, (json.loads(out) if out else None), err


def git(folder, *arguments, check=True, **options):
    """git without the machine's own configuration."""
    command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.test"]
    command += ["-c", "commit.gpgsign=false"]
    return subprocess.run(
        [*command, *arguments], cwd=folder, check=check, capture_output=True, text=True, **options
    )
