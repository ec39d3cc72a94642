"""What a waiting operator sees: one line on a terminal; otherwise a log line for each long step."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from nexus.transport.progress import line

STEPS = [("app1", "swarm: 3 items", 90.0), ("data1", "installing 12 packages", 60.0), ("ops1", "answering", 99.5)]
WAITING = """
import gevent, logging, os, sys
from pyinfra import logger
handler = logging.StreamHandler(sys.stderr)
handler.setFormatter(logging.Formatter("%(created)f %(message)s"))
logger.setLevel(logging.INFO); logger.addHandler(handler)
from nexus.transport import progress
progress.LONG_SECONDS, progress.SHOW_SECONDS = 0.4, 0.1
with progress.progress.step("data1", "installing 12 packages"):
    while not os.path.exists(sys.argv[1]):
        gevent.sleep(0.05)
gevent.sleep(0.3)
print("over", file=sys.stderr)
"""
SECONDS = 60


def test_the_oldest_step_comes_first_and_short_ones_are_left_out() -> None:
    assert line(STEPS, 100.0, 200) == "data1: installing 12 packages, 40 s; app1: swarm: 3 items, 10 s"


def test_hosts_that_wait_for_the_same_are_named_together() -> None:
    steps = [(name, "docker: docker.service", 90.0) for name in ("app1", "app2")]
    assert line(steps, 100.0, 200) == "app1, app2: docker: docker.service, 10 s"


def test_a_line_never_wraps() -> None:
    assert line(STEPS, 100.0, 20) == "data1: installing..."


def test_a_long_step_is_logged_less_and_less_often(tmp_path: Path) -> None:
    """Lines come after 0.4 s, then after twice and four times that: later on a busy machine, never sooner."""
    with started(tmp_path, stderr=subprocess.PIPE) as process:
        assert process.stderr
        told = [process.stderr.readline().decode() for _ in range(3)]
        (tmp_path / "end").touch()
        *more, over = process.stderr.read().decode().splitlines()
    assert process.wait(SECONDS) == 0
    assert over == "over"
    found = [re.fullmatch(r"(\S+) waiting: data1: installing 12 packages, \d+ s\n?", line) for line in (*told, *more)]
    times = [float(one[1]) for one in found if one]
    assert len(times) == len(found)
    assert times[1] - times[0] > 0.35
    assert times[2] - times[0] > 1.1


def test_on_a_terminal_the_line_is_drawn_and_cleared(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = started(tmp_path, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        shown += part
        if len(re.findall(rb"    data1: installing 12 packages, \d+ s\r", shown)) >= 3:
            (tmp_path / "end").touch()
    assert process.wait(SECONDS) == 0
    os.close(ours)
    assert re.search(rb"\r\x1b\[K(over)\r?\n$", shown)


def started(place: Path, **streams: Any) -> subprocess.Popen[bytes]:
    """A run that waits for a host until a file "end" exists."""
    return subprocess.Popen([sys.executable, "-c", WAITING, str(place / "end")], **streams)
