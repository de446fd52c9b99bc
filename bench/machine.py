"""What a run was made on: processor, memory, kernel, and the versions of all that took part."""

import os
import platform
import re
import subprocess
from datetime import date
from pathlib import Path

import ours
import peers
import server


def _first(path, pattern):
    found = re.search(pattern, Path(path).read_text())
    return found.group(1).strip() if found else "unknown"


def _said(*command):
    """The first line with a digit that a command prints about its version."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    except FileNotFoundError:
        return "not installed"
    lines = [line for line in (done.stdout + done.stderr).splitlines() if re.search(r"\d+\.\d", line)]
    return re.search(r"\d+\.\d[\w.+~-]*", lines[0]).group(0) if lines else "unknown"


def _commit():
    try:
        return server.command("git", "-C", server.ROOT, "rev-parse", "--short=12", "HEAD").strip()
    except (server.Failed, FileNotFoundError):
        return "unknown"


def describe(load_before):
    """(what, value) pairs for the document."""
    load = f"{load_before:.1f} before the run, {os.getloadavg()[0]:.1f} at its end; the run makes about 3"
    memory_kib = int(_first("/proc/meminfo", r"MemTotal:\s+(\d+)"))
    return [
        ("date", date.today().isoformat()),
        ("processor", f"{_first('/proc/cpuinfo', r'model name.*: (.*)')}, {os.cpu_count()} cores"),
        ("memory", f"{memory_kib / (1 << 20):.0f} GiB"),
        ("kernel", platform.release()),
        ("load average", load),
        ("Claviger", f"{_said(ours.BIN, '--version')}, commit {_commit()}"),
        ("nginx", _said("nginx", "-v")),
        ("HAProxy", _said("haproxy", "-v")),
        ("Portkey", peers.PORTKEY),
        ("LiteLLM", peers.LITELLM),
        ("wrk", _said("wrk", "-v")),
        ("Node, Python", f"{_said('node', '--version')}, {platform.python_version()}"),
    ]
