"""What a waiting operator sees: on a terminal one line, without one a line for what takes long."""

import os
import pty
import re
import subprocess
import sys

from roles.kit.progress import line

STEPS = [("app1", "swarm: 3 items", 90.0), ("data1", "installing 12 packages", 60.0), ("ops1", "answering", 99.5)]
WAITING = """
import gevent, logging, sys
from pyinfra import logger
logger.setLevel(logging.INFO); logger.addHandler(logging.StreamHandler(sys.stderr))
from roles.kit import progress
progress.LONG_SECONDS, progress.SHOW_SECONDS = 0.4, 0.1
with progress.progress.step("data1", "installing 12 packages"):
    gevent.sleep(1.5)
gevent.sleep(0.3)
print("over", file=sys.stderr)
"""


def test_the_oldest_step_comes_first_and_short_ones_are_left_out() -> None:
    assert line(STEPS, 100.0, 200) == "data1: installing 12 packages, 40 s; app1: swarm: 3 items, 10 s"


def test_a_line_never_wraps() -> None:
    assert line(STEPS, 100.0, 20) == "data1: installing..."


def test_without_a_terminal_a_long_step_is_told_in_plain_lines_and_ever_more_seldom() -> None:
    done = subprocess.run([sys.executable, "-c", WAITING], capture_output=True, text=True, timeout=60, check=True)
    told = done.stderr.splitlines()
    assert told[-1] == "over"
    assert 2 <= len(told) - 1 <= 3
    assert all(re.fullmatch(r"\[data1\] installing 12 packages: \d s so far", entry) for entry in told[:-1])


def test_on_a_terminal_the_line_is_drawn_and_cleared() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", WAITING], stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        shown += part
    assert process.wait(60) == 0
    os.close(ours)
    drawn = re.findall(rb"    data1: installing 12 packages, \d s\r", shown)
    assert len(drawn) >= 3
    assert re.search(rb"\r\x1b\[K(over)\r?\n$", shown)
