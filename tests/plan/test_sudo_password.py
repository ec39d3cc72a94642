"""Runs on hosts whose sudo asks for a password: asked for once, given to sudo, and shown nowhere."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from nexus.environment.environment import Host
from nexus.environment.settings import Settings, defaults
from nexus.pki.ca import Authority
from nexus.transport.sudo import VARIABLE, _password
from tests.hosts.connection import Connection
from tests.plan.project_copy import Hosts, Project, refused, write_secrets

SECRET = 'it\'s "$(odd)" & long'
SUDO = """#!/bin/sh
# As sudo does: -A asks a program for the password, -S reads it, -n refuses where one is needed.
while :; do
    case $1 in
        -A) given=$("$SUDO_ASKPASS") ;;
        -S) IFS= read -r given ;;
        -p) shift ;;
        -H | -k) ;;
        -n) echo "sudo: a password is required" >&2; exit 1 ;;
        *) break ;;
    esac
    shift
done
[ "$given" = "$(cat {expected})" ] || {{ echo "sudo: 1 incorrect password attempt" >&2; exit 1; }}
echo used >> {log}
exec "$@"
"""


class Shells(Hosts):
    """Hosts that execute what they are told, with a sudo of their own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "expected").write_text(SECRET)
        program = place / "bin/sudo"
        program.parent.mkdir()
        program.write_text(SUDO.format(expected=place / "expected", log=place / "log"))
        program.chmod(0o755)
        super().__init__()

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.commands.append(command)
        threading.Timer(0.2, self._carry_out, args=(channel, command)).start()
        return True

    def _carry_out(self, channel: paramiko.Channel, command: bytes) -> None:
        env = {**os.environ, "PATH": f"{self.place}/bin:{os.environ['PATH']}", "TMPDIR": str(self.place)}
        given = b""
        if b" -S " in command:
            with channel.makefile("rb") as stream:
                given = stream.read()
        done = subprocess.run(["sh", "-c", command.decode()], input=given, capture_output=True, env=env)
        channel.sendall(done.stdout)
        channel.sendall_stderr(done.stderr)
        channel.send_exit_status(done.returncode)
        channel.close()


@pytest.fixture
def shells(tmp_path: Path) -> Iterator[Shells]:
    (tmp_path / "shells").mkdir()
    found = Shells(tmp_path / "shells")
    yield found
    found.close()


@pytest.fixture
def asking(tmp_path: Path, shells: Shells, authority: Authority) -> Project:
    (tmp_path / "project").mkdir()
    made = Project(tmp_path / "project", shells)
    write_secrets(made, {"tls/ca-key": authority.key, "tls/ca-certificate": authority.certificate})
    made.append("group_data/lab.py", "sudo_asks_password = True\n")
    return made


def test_a_run_gives_the_password_to_sudo(asking: Project, shells: Shells) -> None:
    outcome = asking.run("inventory", "fact", "server.Kernel", "--limit", "app1", "-vvv", env={VARIABLE: SECRET})
    assert outcome.status == 0, outcome.text
    assert "Linux" in outcome.text
    assert SECRET not in outcome.text
    assert (shells.place / "log").read_text().count("used") >= 1
    assert not list(shells.place.glob("pyinfra-sudo-askpass-*"))
    kept = [path for path in asking.root.rglob("*") if path.is_file() and SECRET in path.read_text(errors="replace")]
    assert kept == []


def test_without_a_terminal_nothing_is_connected_to(asking: Project) -> None:
    outcome = asking.run("inventory", "deploys/full.py", "-y", "-v")
    refused(asking, outcome, "this run has no terminal to ask on: set NEXUS_SUDO_PASSWORD")


def test_a_wrong_password_is_said(asking: Project) -> None:
    outcome = asking.run("inventory", "fact", "server.Kernel", "--limit", "app1", env={VARIABLE: "wrong"})
    assert "1 incorrect password attempt" in outcome.text
    assert "Traceback" not in outcome.text


def test_checks_of_hosts_give_it_too(asking: Project, shells: Shells, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    _password.cache_clear()
    data = {**asking.host("app1"), "ssh_known_hosts_file": str(asking.root / ".lab/known_hosts")}
    settings = Settings({**defaults(), **data, "sudo_asks_password": True})
    connection = Connection(Host("app1", "127.0.0.1", frozenset({"app"}), settings))
    try:
        assert connection.feed("cat", "one\ntwo\n") == "one\ntwo\n"
    finally:
        connection.close()
        _password.cache_clear()
    assert (shells.place / "log").read_text() == "used\n"
    assert SECRET.encode() not in b"".join(shells.commands)
