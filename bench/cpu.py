"""What processes have used, from /proc: processor time of a whole family, resident memory."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
IDLE_SHARE = 0.04  # of one core: less than this is a program that only wakes now and then


@dataclass(frozen=True)
class Stat:
    state: str  # R, S, D; Z for one that has ended and is not waited for
    parent: int
    ticks: int  # user and system, with those of children that ended and were waited for


def parse_stat(text):
    """One /proc/PID/stat. The name in parentheses may hold blanks and parentheses itself."""
    fields = text.rpartition(")")[2].split()
    return Stat(state=fields[0], parent=int(fields[1]), ticks=sum(int(field) for field in fields[11:15]))


def read_stat(pid):
    try:
        return parse_stat(Path(f"/proc/{pid}/stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None


def family(root):
    """The process and all that descend from it."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := read_stat(entry.name)):
            children.setdefault(stat.parent, []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return sorted(found)


def cpu_us(pids):
    """Microseconds of processor time that the processes have used together."""
    stats = [stat for pid in pids if (stat := read_stat(pid))]
    return sum(stat.ticks for stat in stats) * 1_000_000 / TICKS


def rss_bytes(pids):
    """Resident memory of the processes together."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
    return total


def until_idle(pids, most_s=20.0, window_s=0.25):
    """Waits until the processes do next to nothing: work put off is work of the requests before.
    False when they did not come to rest."""
    end = time.monotonic() + most_s
    before = cpu_us(pids)
    while time.monotonic() < end:
        time.sleep(window_s)
        now = cpu_us(pids)
        if now - before <= IDLE_SHARE * window_s * 1_000_000:
            return True
        before = now
    return False
