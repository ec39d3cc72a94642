"""Hosts behind a bastion, and the operator's own ssh configuration: runs, the lock, the record and the checks of hosts.

One host of the lab is the bastion of the others, which drop all traffic from this machine.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Figure
from control import PROJECT, Control, Outcome
from partition import dropping

from nexus.provider.lab import defaults

BASE = "deploys/base.py"
BASTION = "bastion.test"
NOTICED_SECONDS, ENDED_SECONDS = 35, 90  # of silence
STRANGE = """Host *
  ProxyJump none
  ProxyCommand none
  ServerAliveInterval 1m
  IdentityAgent none
Include nothing-is-there
Match final all
  SendEnv LC_*
"""


@pytest.fixture(scope="module")
def settled(control: Control) -> Iterator[Control]:
    """The base of all hosts as planned, before and after: it is enough to test how hosts are reached."""
    assert (before := control.run(deploy=BASE)).status == 0, before.end
    yield control
    after = control.run(deploy=BASE)
    assert (after.status, after.changes) == (0, []), after.end


@pytest.fixture
def behind(settled: Control, tmp_path: Path) -> Iterator[Path]:
    """An ssh configuration that reaches all hosts except the edge through the edge; there is no other way."""
    edge, access = settled.group("edge")[0], settled.lab.access
    address, others = settled.host(edge).address, [name for name in settled.names if name != edge]
    known = tmp_path / "known_hosts"
    keys = [line.split()[1:] for line in (access / "known_hosts").read_text().splitlines() if f",{address} " in line]
    known.write_text("".join(f"{BASTION} {' '.join(key)}\n" for key in keys))
    config = tmp_path / "config"
    config.write_text(
        f"Host {' '.join(settled.host(name).address for name in others)}\n  ProxyJump {defaults.USER}@{BASTION}:22\n"
        f"Host {BASTION}\n  HostName {address}\n  HostKeyAlias {BASTION}\n  UserKnownHostsFile {known}\n"
        f"  IdentityFile {access}/id_ed25519\n  IdentitiesOnly yes\n"
    )
    with contextlib.ExitStack() as stack:
        for name in others:
            stack.enter_context(dropping(settled, name, [str(defaults.GATEWAY)]))
        yield config


def through(control: Control, config: Path, *words: str, **rest: str) -> Outcome:
    """A run with this configuration."""
    return control.run(*words, "--data", f"ssh_config_file={config}", **{"deploy": BASE, **rest})


def test_hosts_behind_a_bastion(settled: Control, behind: Path, figure: Figure) -> None:
    os.environ["HOLD_SECONDS"] = "0"
    nothing = through(settled, behind)
    assert nothing.status == 0, nothing.end
    assert "8 hosts, 0 changes" in nothing.output, nothing.end
    figure("bastion: run without changes", nothing.seconds)
    changed = through(settled, behind, deploy="tests/scenarios/deploys/hold.py")  # takes the lock, is on record
    assert changed.status == 0, changed.end
    told = through(settled, behind, deploy="deploys/history.py")
    assert "hold.py" in told.output, told.end


@pytest.mark.full
def test_hosts_behind_a_bastion_pass_verification(settled: Control, behind: Path) -> None:
    words = ["tests/hosts/test_record.py", "tests/hosts/test_certificate.py", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "--data", f"ssh_config_file={behind}"], cwd=PROJECT, text=True,
        env={**os.environ, "NEXUS_ENV": settled.name}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


@pytest.mark.full
def test_without_the_bastion_they_are_not_reached(settled: Control, behind: Path) -> None:
    """Otherwise the other tests would prove nothing. A host that its bastion cannot reach is reported as such."""
    name = settled.group("app")[0]
    done = settled.run("--limit", name, deploy="deploys/status.py")
    assert f"{name}" in done.output
    assert done.status != 0
    with dropping(settled, name, [settled.host(settled.group("edge")[0]).address], "scenario_bastion"):
        refused = through(settled, behind, "--limit", name)
    assert refused.status == 1
    assert f"no connection through {defaults.USER}@{BASTION}:22: " in refused.output, refused.end


@pytest.mark.full
def test_a_bastion_that_dies_is_noticed(settled: Control, behind: Path, figure: Figure) -> None:
    """The bastion falls silent as soon as the first change is announced."""
    edge, changed = settled.group("edge")[0], {"base_journal_bytes_max": "300M", "ssh_config_file": str(behind)}
    running, said, noticed = settled.start(deploy=BASE, data=changed), "", 0.0
    assert running.stdout
    for line in running.stdout:
        said += line
        if "base: change" in line:
            break
    with dropping(settled, edge, [str(defaults.GATEWAY)]):
        began = time.monotonic()
        for line in running.stdout:
            said += f"{time.monotonic() - began:5.1f} {line}"
            noticed = noticed or (time.monotonic() - began if f"@{BASTION}:22: " in line else 0.0)
        ends = time.monotonic() - began
    print(said)
    figure("bastion: dies during a change, time until named", noticed)
    figure("bastion: dies during a change, time until the run ends", ends)
    assert running.wait(60) == 1
    assert "Traceback" not in said
    assert 0 < noticed < NOTICED_SECONDS, said
    assert ends < ENDED_SECONDS, said
    assert through(settled, behind).status == 0  # with the journal's own limit again


def test_the_operators_own_configuration(settled: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab does not use the configuration; other environments leave it to OpenSSH."""
    (tmp_path / ".ssh").mkdir(mode=0o700)
    own = tmp_path / ".ssh/config"
    own.write_bytes(b"\xff\xfe What\n  ProxyJump nowhere.invalid\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert (done := settled.run(deploy=BASE)).status == 0, done.end
    assert "8 hosts, 0 changes" in done.output, done.end
    refused = through(settled, own)
    assert refused.status == 1
    assert f"ssh's configuration: {own}: line 1: Bad configuration option" in refused.output, refused.end
    assert "Nothing was changed on any host." in refused.output
    own.write_text(STRANGE)
    assert (works := through(settled, own)).status == 0, works.end
