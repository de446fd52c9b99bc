"""The line on a terminal that tells how far a scan is."""

import os
import re
import signal
import subprocess
import time

import leaks
import rig

REST_S = 0.25  # of a program that is slowed down, so that its scan takes longer than a moment
LINES = 400_000


def what_came(terminal):
    """Nothing when nothing is there, or when the other side has closed."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def slowly(arguments, folder, run_s=0.004):
    """Runs a scan on a terminal, most of the time stopped: its exit code and what the terminal got."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [rig.BIN, *map(str, arguments)], cwd=folder, stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    shown = b""
    while process.poll() is None:
        time.sleep(run_s)
        process.send_signal(signal.SIGSTOP)
        time.sleep(REST_S)
        process.send_signal(signal.SIGCONT)
        shown += what_came(ours)
    while more := what_came(ours):
        shown += more
    os.close(ours)
    return process.returncode, shown.decode()


def large(folder):
    for name in ("one", "two"):
        lines = (f"line {i} of {name}: nothing to see, and a name = value{i}\n" for i in range(LINES))
        (folder / name).write_text("".join(lines))


def test_a_long_scan_of_a_tree_tells_files_bytes_and_rate_and_takes_its_line_away(tmp_path):
    large(tmp_path)
    code, shown = slowly(["scan", "."], tmp_path)
    assert code == 0, shown
    lines = shown.split("\r\x1b[K")
    assert any(re.fullmatch(r"\d+ files?, [\d.]+ [kMG]?B, [\d.]+ [kMG]?B/s", line) for line in lines), shown
    # Nothing of it stays in front of what the scan has to say.
    assert "B/s" not in lines[-1]
    assert "scanned" in lines[-1]


def test_a_long_scan_of_a_history_tells_the_share_and_the_time_left(tmp_path):
    leaks.git(tmp_path, "init", "-q")
    large(tmp_path)
    for i in range(4):
        (tmp_path / f"more{i}").write_text("".join(f"{i} {j} apart\n" for j in range(LINES)))
        leaks.git(tmp_path, "add", "-A")
        leaks.git(tmp_path, "commit", "-qm", f"number {i}")
    for state in ("loose", "packed"):
        code, shown = slowly(["scan", ".", "--history"], tmp_path, run_s=0.01)
        assert code == 0, shown
        lines = shown.split("\r\x1b[K")
        assert any(re.fullmatch(r"objects \d+ %, \d+ s, \d+ s left", line) for line in lines), (state, shown)
        assert "left" not in lines[-1]
        leaks.git(tmp_path, "gc", "-q")


def test_no_progress_means_none(tmp_path):
    large(tmp_path)
    code, shown = slowly(["scan", ".", "--no-progress"], tmp_path)
    assert code == 0 and "\x1b" not in shown and "B/s" not in shown, shown
