"""Hardened hosts of the lab: ssh-audit, keys that work after a year, and operators who come and go."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import Figure
from control import Control

BASE, HARDENING = "deploys/base.py", "deploys/hardening.py"
NAME = "nexustester"
OLD_DAYS = 400
# paramiko, with which runs connect, knows no key exchange that is safe from quantum computers
EXPLAINED = {"curve25519-sha256@libssh.org": ["does not provide protection against post-quantum attacks"]}
SESSION_SECONDS = 30
COSTLY = "$y$jBT$"  # yescrypt with the cost of the measure password-hashes
AUDIT = Path(sys.executable).with_name("ssh-audit")


@dataclass(frozen=True)
class Person:
    """Somebody with a key and an account of the same name on all hosts."""

    control: Control
    key: Path

    @property
    def data(self) -> dict[str, Any]:
        """The setting that gives the account."""
        return {"base_operators": {NAME: [self.key.with_suffix(".pub").read_text().strip()]}}

    def words(self, host: str, *command: str) -> list[str]:
        """An ssh command to a host."""
        config = str(self.control.lab.access / "ssh_config")
        options = ["BatchMode=yes", "ConnectTimeout=5", f"IdentityFile={self.key}", "IdentitiesOnly=yes"]
        return ["ssh", "-F", config, *(word for one in options for word in ("-o", one)), "-l", NAME, host, *command]

    def enters(self, host: str, command: str = "sudo -n id -un") -> str:
        """Standard output of a command on a host; empty if the person is not let in."""
        done = subprocess.run(self.words(host, command), capture_output=True, text=True, check=False, timeout=60)
        return done.stdout.strip()


@pytest.fixture(scope="module")
def settled(control: Control) -> Iterator[Control]:
    """Base and hardening as planned, before and after."""
    for deploy in (BASE, HARDENING):
        assert (before := control.run(deploy=deploy)).status == 0, before.end
    yield control
    for deploy in (BASE, HARDENING):
        after = control.run(deploy=deploy)
        assert (after.status, after.changes) == (0, []), after.end


@pytest.fixture
def person(settled: Control, tmp_path: Path) -> Iterator[Person]:
    """A person who has no account yet, and none afterwards."""
    key = tmp_path / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tester", "-f", str(key)], check=True)
    yield Person(settled, key)
    assert settled.run(deploy=BASE).status == 0
    settled.everywhere(lambda name: settled.ssh(name, f"sudo userdel -rf {NAME} 2>/dev/null; true"))


def faults(found: Mapping[str, Any]) -> dict[str, list[str]]:
    """{algorithm: failures and warnings} of ssh-audit, without those that are explained."""
    notes: dict[str, list[str]] = {}
    for kind in ("kex", "key", "enc", "mac"):
        assert found[kind], f"ssh-audit saw no {kind}"
        for one in found[kind]:
            notes.setdefault(one["algorithm"], []).extend(one["notes"].get("fail", []) + one["notes"].get("warn", []))
    return {name: lines for name, lines in notes.items() if lines and lines != EXPLAINED.get(name)}


@pytest.mark.full
@pytest.mark.skipif(not AUDIT.exists(), reason="ssh-audit is not installed")
def test_ssh_audit_finds_nothing(settled: Control) -> None:
    for name in settled.names:
        words = [str(AUDIT), "--json", "--skip-rate-test", settled.lab.host(name).address]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
        found = json.loads(done.stdout)
        assert faults(found) == {}, name
        assert found["cves"] == [], name


def test_keys_work_after_a_year(settled: Control) -> None:
    """Also if an administrator gave the account's password an age: the next run removes it."""
    name = settled.names[0]
    settled.ssh(name, f"sudo chage -d $(date -d '-{OLD_DAYS} days' +%F) deploy")
    assert settled.ssh(name, "sudo id -un").strip() == "root"
    settled.ssh(name, "sudo chage -M 365 -d $(date +%F) deploy")
    done = settled.run(deploy=HARDENING)
    assert [change for change in done.changes if "account deploy" in change], done.end
    settled.ssh(name, f"sudo chage -d $(date -d '-{OLD_DAYS} days' +%F) deploy")
    assert settled.ssh(name, "sudo id -un").strip() == "root"
    assert settled.ssh(name, "sudo passwd --status deploy").split()[1] == "L"


@pytest.fixture
def account(settled: Control) -> Iterator[str]:
    """An account without a password on the first host."""
    settled.ssh(settled.names[0], f"sudo useradd {NAME}")
    yield NAME
    settled.ssh(settled.names[0], f"sudo userdel {NAME}")


def test_weak_passwords_are_refused(settled: Control, account: str) -> None:
    """Also those that root sets; the hash of another one costs what is planned."""
    name = settled.names[0]
    for password in ("short", "Password1", "correcthorse"):
        settled.ssh(name, f"! echo '{account}:{password}' | sudo chpasswd >/dev/null 2>&1")
    settled.ssh(name, f"echo '{account}:correct horse battery staple' | sudo chpasswd >/dev/null 2>&1")
    assert settled.ssh(name, f"sudo getent shadow {account}").split(":")[1].startswith(COSTLY)


@pytest.mark.full
def test_an_operator_joins_runs_and_leaves(person: Person, figure: Figure) -> None:
    control, names = person.control, person.control.names
    assert person.enters(names[0]) == ""
    joined = control.run(deploy=BASE, data=person.data)
    assert joined.status == 0, joined.end
    assert control.everywhere(person.enters) == dict.fromkeys(names, "root")
    assert control.run(deploy=BASE, data=person.data).changes == []
    own = {**person.data, "ssh_user": NAME, "ssh_key": str(person.key)}
    done = control.run(deploy=BASE, data={**own, "base_journal_bytes_max": "300M"})
    assert done.status == 0, done.end
    told = control.run(deploy="deploys/history.py", data={"since": "today", "item": "journald"}).output
    assert f" as {NAME}: deploys/base.py" in told
    control.ssh(names[0], f"sudo chage -d $(date -d '-{OLD_DAYS} days' +%F) {NAME}")
    assert person.enters(names[0]) == "root"
    session = subprocess.Popen(person.words(names[-1], "sudo sleep 600"))
    time.sleep(3)
    assert session.poll() is None
    began = time.monotonic()
    left = control.run(deploy=BASE)
    assert left.status == 0, left.end
    assert session.wait(SESSION_SECONDS) != 0
    figure("hardening: an operator leaves, time of the run", time.monotonic() - began)
    assert control.everywhere(person.enters) == dict.fromkeys(names, "")
    assert control.ssh(names[-1], "pgrep -fc 'sleep 60[0]' || true").strip() == "0"
    assert control.run(deploy=BASE).changes == []


@pytest.mark.full
def test_a_run_of_nobody_is_refused(person: Person) -> None:
    """An operator whose run would close the door behind them."""
    control = person.control
    assert control.run(deploy=BASE, data=person.data).status == 0
    refused = control.run(deploy=BASE, data={"ssh_user": NAME, "ssh_key": str(person.key)})
    assert refused.status == 1
    assert f"this run logs in as {NAME}, and sshd would admit only deploy" in refused.output, refused.end
    assert person.enters(control.names[0]) == "root"


@pytest.mark.full
def test_a_measure_is_taken_back_and_returns(settled: Control) -> None:
    name, kept = settled.names[0], list(settled.planned.host(settled.names[0]).setting.hardening_except)
    taken = ["password-tries", "password-strength", "sudo-log: a test"]
    without = settled.run(deploy=HARDENING, data={"hardening_except": [*kept, *taken]})
    assert without.status == 0, without.end
    settled.ssh(name, "! grep -q pam_faillock /etc/pam.d/common-auth && ! sudo test -e /etc/sudoers.d/nexus-log")
    settled.ssh(name, "! grep -q pam_passwdqc /etc/pam.d/common-password")
    again = settled.run(deploy=HARDENING)
    assert again.status == 0, again.end
    settled.ssh(name, "grep -q pam_faillock /etc/pam.d/common-auth && sudo test -e /etc/sudoers.d/nexus-log")
    settled.ssh(name, "grep -q pam_passwdqc /etc/pam.d/common-password")
    assert settled.run(deploy=HARDENING).changes == []
