"""Hardening on its host: values of login.defs, accounts that end, kernel patterns and mounts."""

from __future__ import annotations

import os
import pwd
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError, digest
from roles.base.host import effective, sysctl
from roles.hardening.host import accounts, daemon, state, system

SHADOW = "deploy:!:20000:0:99999:7:::\nalice:!:20000:0:60:7:::\nbob:*:0:0::7:30:1:\n"


@pytest.fixture
def shadow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "shadow"
    path.write_text(SHADOW)
    monkeypatch.setattr(accounts, "SHADOW", str(path))


@pytest.mark.usefixtures("shadow")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("deploy", ""),
        ("nobody-here", ""),
        ("alice", "its password must be changed every 60 days"),
        ("bob", "its password must be changed now; inactive is 30; expires is 1"),
    ],
)
def test_what_ends_an_account(name: str, why: str) -> None:
    found = accounts.Account.look(name, {"ends": "never"}, {})
    assert (found["ends"] == "never", found.get("how", "").removesuffix(", which ends logins")) == (not why, why)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A 1\nUMASK\t\t022\nB 2\n", "A 1\nUMASK\t027\nB 2\n"),
        ("#UMASK 022\nA 1\n", "#UMASK 022\nA 1\nUMASK\t027\n"),
        ("UMASKX 1\n", "UMASKX 1\nUMASK\t027\n"),
    ],
)
def test_a_default_is_set_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str) -> None:
    path = tmp_path / "login.defs"
    path.write_text(before)
    monkeypatch.setattr(accounts, "DEFAULTS", str(path))
    monkeypatch.setattr(accounts, "write_atomic", lambda path, data, *_: Path(path).write_bytes(data))
    accounts.Default.make("UMASK", {"value": "027"}, {})
    assert path.read_text() == after
    assert accounts.Default.look("UMASK", {}, {}) == {"value": "027"}


def test_a_pattern_is_every_interface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("all", "0"), ("eth0.100", "2"), ("lo", "1")):
        place = tmp_path / "net/conf" / name
        place.mkdir(parents=True)
        (place / "x").write_text(f"{value}\n")
    monkeypatch.setattr(sysctl, "ROOT", f"{tmp_path}/")
    monkeypatch.setattr(sysctl, "kernel", lambda path: (tmp_path / path).read_text().strip())
    key = "net.conf.*.x"
    assert sysctl.look({key: "1"}) == {f"sysctl {key}": {"value": "0, 1, 2", "how": "0, 1, 2 is in force instead of 1"}}
    sysctl.put(key, "1")
    assert sysctl.look({key: "1"}) == {f"sysctl {key}": {"value": "1"}}


def test_the_newest_mount_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mountinfo"
    path.write_text("1 0 0:1 / /dev/shm rw,nosuid - tmpfs x rw\n2 1 0:2 / /dev/shm rw,nosuid,nodev - tmpfs x rw\n")
    monkeypatch.setattr(system, "MOUNTS", str(path))
    wanted = {"options": "nodev,noexec,nosuid"}
    assert system.Mount.look("/dev/shm", wanted, {}) == {"options": "nodev,nosuid"}
    assert "is not a mount of its own" in system.Mount.look("/elsewhere", wanted, {})["note"]


def test_missing_files_have_no_permissions(tmp_path: Path) -> None:
    wanted = {"mode": "0600", "owner": "root:root"}
    assert system.Permissions.look(str(tmp_path / "none"), wanted, {}) == wanted
    (tmp_path / "file").write_text("")
    (tmp_path / "file").chmod(0o644)
    assert system.Permissions.look(str(tmp_path / "file"), wanted, {})["mode"] == "0644"


def test_a_file_that_sshd_rejects_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise sshd would not start at the next boot."""
    path = tmp_path / "20.conf"
    path.write_text("Nonsense\n")
    asked: list[list[str]] = []

    def run(argv: list[str], **_: Any) -> str:
        asked.append(argv)
        raise RemoteError("line 1: Bad configuration option: Nonsense")

    monkeypatch.setattr(daemon, "run", run)
    monkeypatch.setattr("os.makedirs", lambda *_, **__: None)
    wanted = {"file": digest(str(path))}
    with pytest.raises(RemoteError, match="Bad configuration option"):
        daemon.Sshd.make("", wanted, {"sshd_file": str(path)})
    assert not path.exists()
    assert asked == [["sshd", "-t"]]


def test_sshd_is_restarted_last(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    for kind in ("sshd", "pam", "login.defs"):
        fake = type("Fake", (), {"make": lambda name, wanted, context, kind=kind: made.append(kind)})
        monkeypatch.setitem(state.KINDS, kind, fake)
    items: dict[str, Any] = {"sshd": {}, "login.defs UMASK": {}, "pam faillock": {}}
    state.apply(Change(items, changed=list(items), context={"wanted": items}))
    assert made == ["login.defs", "pam", "sshd"]


def test_pam_is_reported_when_it_is_no_longer_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon.Pam, "enabled", lambda: ["faillock"])
    context = {"wanted": {}, "sysctl": {}, "sysctl_file": "/etc/sysctl.d/61-x.conf"}
    assert state.probe([], context) == {"pam faillock": {"enabled": True}}
    assert effective.told([]) == {}


def test_own_profiles_of_pam_are_known_by_their_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that a package enabled is not ours to remove."""
    file = tmp_path / "common-password"
    monkeypatch.setattr(daemon, "MODULES", {"passwdqc": replace(daemon.MODULES["passwdqc"], file=str(file))})
    for line, found in (
        ("", []),
        ("requisite pam_passwdqc.so\n", []),
        ("requisite pam_passwdqc.so min=x\n", ["passwdqc"]),
    ):
        file.write_text(line)
        assert daemon.Pam.enabled() == found
    asked: list[list[str]] = []
    monkeypatch.setattr(daemon, "run", asked.append)
    daemon.Pam.make("passwdqc", {}, {})
    daemon.Pam.leave("passwdqc")
    assert [words[2:] for words in asked] == [
        ["--disable", "passwdqc"], ["--enable", "nexus-passwdqc"], ["--remove", "nexus-passwdqc"],
    ]  # fmt: skip


def test_the_home_of_an_account_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    account = SimpleNamespace(pw_dir=str(home), pw_uid=os.getuid())
    monkeypatch.setattr(pwd, "getpwnam", {"deploy": account}.__getitem__)
    assert system.Home.look("deploy", {"closed": True}, {}) == {"closed": True}  # it has none yet
    home.mkdir()
    home.chmod(0o2775)
    assert system.Home.look("deploy", {"closed": True}, {}) == {"closed": False}
    system.Home.make("deploy", {}, {})
    assert oct(home.stat().st_mode & 0o7777) == "0o2750"
    assert system.Home.look("deploy", {"closed": True}, {}) == {"closed": True}
    assert system.Home.look("nobody-here", {"closed": True}, {}) == {"closed": True}
    account.pw_uid += 1  # such as / or a directory of a daemon
    assert system.Home.look("deploy", {"closed": True}, {}) == {"closed": True}
