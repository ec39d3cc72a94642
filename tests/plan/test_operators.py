"""Accounts of people: who is refused before any host is asked, and what a host does with those who come and go."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nexus.agent.change import Change
from nexus.audit import history
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.base import operators as planned
from roles.base import plan as base
from roles.base.host import operators as host
from tests.plan.environments import environment

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGgUdA3gY6vLnL8hM0qV3m5o1m6QXq0p3n9m7u8m6q5A alice@desk"
ACCOUNT = pwd.struct_passwd(("alice", "x", 4242, 4242, "", "/nonexistent", "/bin/bash"))


def with_operators(directory: Path, **operators: Any) -> Environment:
    return environment(directory, base_operators=operators)


def test_sshd_admits_operators(tmp_path: Path) -> None:
    env = with_operators(tmp_path, bob=[KEY], alice=[KEY])
    found = base.plan(env, env.host("data1"))
    sshd = next(file.data.decode() for file in found.files if file.path == base.SSHD)
    assert "AllowUsers deploy alice bob\n" in sshd
    [state] = [state for state in found.states if state.name == "operators"]
    assert list(state.items) == ["operator alice", "operator bob"]
    assert KEY not in str(state.items)
    assert state.payload["keys"]["alice"] == f"{KEY}\n"


@pytest.mark.parametrize(
    ("name", "keys", "words"),
    [
        ("Alice", [KEY], 'base_operators has "Alice": a name has lower-case letters'),
        ("root", [KEY], "is neither root nor base_user"),
        ("deploy", [KEY], r"nor base_user \(deploy\)"),
        ("alice; reboot", [KEY], "a name has lower-case letters"),
        ("alice", [], "no list of keys for alice"),
        ("alice", KEY, "no list of keys for alice"),
        ("alice", ["AAAAC3NzaC1lZDI1NTE5"], "it does not begin with one of ssh-ed25519"),
        ("alice", ["ssh-ed25519 ***"], "is not base64"),
        ("alice", [f"{KEY}\n{KEY}"], "it does not begin with one of"),
        ("alice", [KEY.replace("ssh-ed25519", "ssh-rsa")], "its data is not that of ssh-rsa"),
    ],
)
def test_what_cannot_be_an_operator_is_refused(tmp_path: Path, name: str, keys: Any, words: str) -> None:
    with pytest.raises(OperatorError, match=words):
        base.notes(with_operators(tmp_path, **{name: keys}))


@pytest.mark.parametrize(("user", "refused"), [("deploy", False), ("alice", False), ("ali", True), ("bob", True)])
def test_runs_of_operators_are_admitted(tmp_path: Path, user: str, refused: bool) -> None:
    env = with_operators(tmp_path, alice=[KEY])
    command = base.preflight(env, env.host("data1")).replace(base.GENERATION, str(tmp_path / "none"))
    given = {**os.environ, "SUDO_USER": user}
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, env=given)
    assert (done.returncode == 1) is refused, done.stdout
    assert not refused or "sshd would admit only deploy, alice from now on" in done.stdout


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that a host would carry out; the only account is alice's."""
    found: list[str] = []
    monkeypatch.setattr(host, "run", lambda argv, **_: found.append(" ".join(argv)))
    monkeypatch.setattr(host, "remove", lambda path: found.append(f"rm {path}"))
    monkeypatch.setattr(host, "_account", lambda name: ACCOUNT if name == "alice" else None)
    return found


def test_who_leaves_is_locked_before_sessions_end(commands: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "end_sessions", lambda uid: commands.append(f"kill {uid}"))
    host.apply(Change({}, removed=["operator alice", "operator nobody"]))
    assert commands == [
        "usermod --lock --expiredate 1 alice",
        "rm /nonexistent/.ssh/authorized_keys",
        "kill 4242",
        "gpasswd --delete alice nexus-operators",  # last: until then the next run finds who is not locked out yet
    ]


def test_members_that_are_no_longer_planned_are_found(commands: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "members", lambda: ["alice"])
    assert host.probe([], {}) == {"operator alice": {"keys": "none", "open": True}}


def test_an_account_of_the_system_is_an_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    found = host.probe(["operator daemon"], {})["operator daemon"]
    assert "daemon is an account of the system (uid 1)" in found["obstacle"]


def test_sessions_end_with_what_they_started(tmp_path: Path) -> None:
    """A process, its child, and neither this process nor those above it."""
    if os.getuid():
        pytest.skip("only root can become another account")
    code = f"import subprocess; subprocess.run(['sleep', '{time.time_ns()}'])"
    process = subprocess.Popen([sys.executable, "-c", code], user=ACCOUNT.pw_uid, cwd="/")
    deadline = time.monotonic() + 20
    while len(host.processes_of(ACCOUNT.pw_uid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    found = host.processes_of(ACCOUNT.pw_uid)
    assert process.pid in found
    assert len(found) == 2
    host.end_sessions(ACCOUNT.pw_uid)
    assert process.wait(20) == -9
    while host.processes_of(ACCOUNT.pw_uid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert host.processes_of(ACCOUNT.pw_uid) == set()
    assert os.getpid() not in host.processes_of(os.getuid())


def test_history_names_the_login() -> None:
    line = {
        "time": 0.0, "who": "mina@desk", "login": "alice", "purpose": "deploys/full.py", "number": 1, "commit": "",
        "dirty": False, "services": {}, "intended": {}, "end": None, "died": True,
    }  # fmt: skip
    assert "mina@desk as alice: deploys/full.py" in history.tell(line)
    assert "mina@desk: deploys/full.py" in history.tell({key: line[key] for key in line if key != "login"})


def test_the_key_file_has_each_key_in_a_line() -> None:
    assert planned._lines([f" {KEY} ", KEY]) == f"{KEY}\n{KEY}\n"
