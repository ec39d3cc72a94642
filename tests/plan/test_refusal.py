"""Messages of a role's check on a host, and its timeout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nexus.agent import lib


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("true", None),
        ("echo fine; echo also >&2", None),
        ("echo no memory; echo debug >&2; exit 1", "no memory"),
        ("echo broken >&2; exit 2", "broken"),
        ("exit 3", "refused without a reason"),
        ("kill -9 $$", "refused without a reason"),
        ("pwd; exit 1", "/"),
        ("# a comment\nfalse || { echo second line; exit 1; }", "second line"),
    ],
)
def test_a_check_that_fails_says_why(command: str, why: str | None) -> None:
    assert lib.refusal(command) == why


def test_a_check_with_more_output_than_a_pipe_holds_ends() -> None:
    assert len(lib.refusal("head -c 300000 /dev/zero | tr '\\0' x; exit 1") or "") == 300000


def test_a_check_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lib, "CHECK_SECONDS", 2)
    with pytest.raises(lib.RemoteError, match=r"did not end within 2 s"):
        lib.refusal(f"echo $$ >{tmp_path}/pid; exec sleep 60")
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}")
