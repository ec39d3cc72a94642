"""What a check of a role says on a host, and how long it may take."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from roles.kit.agent import check
from roles.kit.agent.base import RemoteError

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("true", None),
        ("echo fine; echo also >&2", None),
        ("echo no memory; echo beside >&2; exit 1", "no memory"),
        ("echo broken >&2; exit 2", "broken"),
        ("exit 3", "refused without a reason"),
        ("kill -9 $$", "refused without a reason"),
        ("pwd; exit 1", "/"),
        ("# a comment\nfalse || { echo second line; exit 1; }", "second line"),
    ],
)
def test_a_check_that_fails_says_why(command: str, why: str | None) -> None:
    assert check.refusal(command) == why


def test_a_check_that_says_more_than_a_pipe_holds_comes_to_its_end() -> None:
    assert len(check.refusal("head -c 300000 /dev/zero | tr '\\0' x; exit 1") or "") == check.MOST_BYTES


def test_a_check_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(check, "SECONDS", 2)
    with pytest.raises(RemoteError, match=r"did not end within 2 s"):
        check.refusal(f"echo $$ >{tmp_path}/pid; exec sleep 60")
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}")


OPEN = """
import os
from roles.kit.agent import check
before = os.listdir("/proc/self/fd")
check.refusal("exit 1")
print(os.listdir("/proc/self/fd") == before)
"""


def test_nothing_stays_open() -> None:
    """In a process of its own: this one has other threads."""
    done = subprocess.run([sys.executable, "-c", OPEN], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
