"""Editing secrets: checked before any write, and no clear text stays, however the editor ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nexus.error import OperatorError
from nexus.secrets.editor import edit, parse, private_directory, render
from nexus.secrets.store import Secrets

ROOT = Path(__file__).resolve().parents[2]
PEM = "-----BEGIN X-----\nabc\ndef\n-----END X-----\n"


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The test's own directory in memory for clear texts, like the directory of a session."""
    with tempfile.TemporaryDirectory(prefix="nexus-cos-test-", dir="/dev/shm") as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield Path(directory)


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    made = Secrets(tmp_path / "lab.age", tmp_path / "age.key", generate=True)
    made.put("redis/x", "1e5")
    made.put("tls/ca-key", PEM)
    made.save()
    return made


def editor(tmp_path: Path, script: str) -> list[str]:
    program = tmp_path / "editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return [str(program)]


def test_an_edited_file_can_be_read(secrets: Secrets) -> None:
    values = {name: secrets.get(name) for name in secrets.names()}
    assert parse(render(values), "x") == values


def test_a_change_is_encrypted_and_the_clear_text_is_gone(secrets: Secrets, tmp_path: Path, memory: Path) -> None:
    change = 'sed -i "s/^redis.x:.*/redis\\/x: new/" "$1"; echo "b: added" >>"$1"'
    script = f'stat -c "%a %n" "$1" >{tmp_path}/mode; {change}'
    assert edit(secrets, "lab", editor(tmp_path, script)) == ["b", "redis/x"]
    secrets.save()
    again = Secrets(secrets.path, secrets.identity)
    assert (again.get("redis/x"), again.get("b"), again.get("tls/ca-key")) == ("new", "added", PEM)
    assert (tmp_path / "mode").read_text().startswith(f"600 {memory}/nexus-cos-secrets-")
    assert not list(memory.iterdir())


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("exit 3", "ended with 3: nothing was changed"),
        ("kill -9 $$", "ended with -9: nothing was changed"),
        ('echo "redis/x: 5" >>"$1"', r"lab.yaml:\d+: redis/x appears twice"),
        ('echo "number: 5" >>"$1"', r"lab.yaml:\d+: number must have text as its value: put it in quotes"),
        ('echo "a: [" >>"$1"', r"lab.yaml:\d+: this is not valid YAML"),
        (': >"$1"', "the file is empty"),
        ('echo "- a" >"$1"', "every line must be NAME: VALUE"),
    ],
)
def test_an_invalid_list_of_secrets_changes_nothing(
    secrets: Secrets, tmp_path: Path, memory: Path, script: str, complaint: str
) -> None:
    before = secrets.path.read_bytes()
    with pytest.raises(OperatorError, match=complaint) as refused:
        edit(secrets, "lab", editor(tmp_path, script))
    assert "1e5" not in str(refused.value)
    assert not secrets.save()
    assert secrets.path.read_bytes() == before
    assert not list(memory.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_when_the_editing_is_killed(tmp_path: Path, memory: Path, number: signal.Signals) -> None:
    asks = editor(tmp_path, f'cp "$1" {tmp_path}/seen; echo "$1" >{tmp_path}/path; sleep 60')
    made = Secrets(tmp_path / "box.age", tmp_path / "age.key", generate=True)
    made.put("a", "hunter2")
    made.save()
    code = (
        "from nexus.secrets.editor import edit; from nexus.secrets.store import Secrets; from pathlib import Path; "
        f"edit(Secrets(Path({str(made.path)!r}), Path({str(made.identity)!r})), 'box', {asks!r})"
    )
    running = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "path").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "hunter2" in (tmp_path / "seen").read_text()
    assert (tmp_path / "path").read_text().startswith(f"{memory}/")
    running.send_signal(number)
    running.wait(timeout=60)
    while list(memory.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list(memory.iterdir())
    os.killpg(running.pid, signal.SIGKILL)


@pytest.mark.parametrize("session", [True, False])
def test_the_clear_text_lies_in_memory_and_is_closed_to_others(monkeypatch: pytest.MonkeyPatch, session: bool) -> None:
    if not session:  # like an account without a session
        monkeypatch.delenv("XDG_RUNTIME_DIR")
    with private_directory() as directory:
        kind = subprocess.run(["stat", "-f", "-c", "%T", directory], capture_output=True, text=True, check=True)
        assert kind.stdout.strip() in ("tmpfs", "ramfs")
        assert directory.stat().st_mode & 0o777 == 0o700
    assert not directory.exists()
