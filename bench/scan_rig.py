"""What `./dev bench scan` measures on: timed commands with their memory, and a repository made for it."""

import os
import random
import re
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Run:
    """One run of a command."""

    seconds: float
    code: int
    output: str
    anonymous_kib: int  # the most seen
    finished: bool = True


def _anonymous_kib(pid):
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"RssAnon:\s+(\d+)", status)
    return int(found.group(1)) if found else 0


def timed(command, cwd=None, timeout=None, keep=False):
    """Runs the command with its output to /dev/null, or kept."""
    began = time.monotonic()
    out = subprocess.PIPE if keep else subprocess.DEVNULL
    process = subprocess.Popen(
        [str(word) for word in command], cwd=cwd, stdout=out, stderr=subprocess.DEVNULL
    )
    most = 0
    ended = threading.Event()

    def watch():
        nonlocal most
        while not ended.wait(0.01):
            most = max(most, _anonymous_kib(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    finished = True
    try:
        output = process.communicate(timeout=timeout)[0]
    except subprocess.TimeoutExpired:
        finished = False
        process.kill()
        output = process.communicate()[0]
    seconds = time.monotonic() - began
    ended.set()
    watcher.join()
    return Run(seconds, process.returncode, (output or b"").decode(errors="replace"), most, finished)


def best(command, rounds, **more):
    """The fastest of several runs, with the most memory of any."""
    runs = [timed(command, **more) for _ in range(rounds)]
    fastest = min(runs, key=lambda run: run.seconds)
    fastest.anonymous_kib = max(run.anonymous_kib for run in runs)
    return fastest


def git(where, *arguments, **more):
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Bench"), ("EMAIL", "bench@example.org"))
    }
    done = subprocess.run(
        ["git", "-c", "gc.auto=0", *map(str, arguments)],
        cwd=where,
        check=True,
        env=dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", **identity),
        capture_output=True,
        **more,
    )
    return done.stdout.decode(errors="replace")


def pack_bytes(repository):
    """Bytes in packs, and objects."""
    said = dict(line.split(": ") for line in git(repository, "count-objects", "-v").splitlines())
    return 1024 * int(said["size-pack"]), int(said["in-pack"])


def without_gaps(repository, folder):
    """The repository itself, or when it is a partial clone a view of it in which what is missing is empty."""
    listed = git(repository, "rev-list", "--objects", "--all", "--missing=print").splitlines()
    missing = [line[1:] for line in listed if line.startswith("?")]
    if not missing:
        return repository
    view = Path(folder) / "view.git"
    git(folder, "init", "-q", "--bare", view)
    objects = git(repository, "rev-parse", "--path-format=absolute", "--git-path", "objects").strip()
    (view / "objects/info/alternates").write_text(f"{objects}\n")
    empty = git(view, "hash-object", "-w", "--stdin", stdin=subprocess.DEVNULL).strip()
    refs = git(repository, "for-each-ref", "--format=create %(refname) %(objectname)")
    gaps = "".join(f"create refs/replace/{name} {empty}\n" for name in missing)
    git(view, "update-ref", "--stdin", input=(refs + gaps).encode())
    git(view, "symbolic-ref", "HEAD", git(repository, "symbolic-ref", "HEAD").strip())
    return view


_SYLLABLES = (
    "add be con de er fig get index key list map new open path queue read set table user value write".split()
)
_SHAPES = (  # what source code looks like: names, words, a number or a digest now and then
    "func {a}{B}({c} *{D}) (int, error) {{\n",
    "\tif err := {a}.{B}(ctx, {c}); err != nil {{\n\t\treturn {n}, err\n\t}}\n",
    "\t// {a} {b} {c} {d}: {b} the {d} before it is {a}.\n",
    '\t{a}{B} := "{c} {d}"\n',
    '\t{c}[{n}].{A} = {D}{{{B}: {n}, {C}: "{d}"}}\n',
    '\t{{"{c}-{d}", "{digest}"}},\n',
)


def _lines(rng, count):
    def word():
        return "".join(rng.choices(_SYLLABLES, k=2))

    lines = []
    for _ in range(count):
        names = {letter: word() for letter in "abcd"}
        names |= {letter.upper(): name.title() for letter, name in names.items()}
        shape = rng.choices(_SHAPES, weights=(8, 8, 8, 8, 8, 1))[0]
        lines.append(shape.format(**names, n=rng.getrandbits(10), digest=f"{rng.getrandbits(256):064x}"))
    return lines


def synthetic_history(folder, megabytes=260):
    """A bare repository of about so many megabytes: files in twenty versions, as deltas."""
    repository = Path(folder) / "synthetic.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", repository], check=True)
    rng = random.Random(1)
    importer = subprocess.Popen(
        ["git", "fast-import", "--quiet", "--depth=20"], cwd=repository, stdin=subprocess.PIPE
    )
    put = importer.stdin.write
    mark = 0
    for number in range(megabytes * 21):
        lines = _lines(rng, 900)
        versions = []
        for _ in range(20):
            at = rng.randrange(len(lines))
            lines[at : at + 2] = _lines(rng, 3)
            text = "".join(lines).encode()
            mark += 1
            put(b"blob\nmark :%d\ndata %d\n%s\n" % (mark, len(text), text))
            versions.append(mark)
        for at, version in enumerate(versions):
            when = 1_700_000_000 + 20 * number + at
            put(b"commit refs/heads/main\ncommitter Bench <bench@example.org> %d +0000\ndata 1\nc\n" % when)
            put(b"M 100644 :%d src/d%d/f%d.go\n" % (version, number % 90, number))
    importer.stdin.close()
    if importer.wait() != 0:
        raise RuntimeError("git fast-import failed")
    return repository
