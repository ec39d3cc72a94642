"""A host that reboots, seen over a real SSH connection: it is lost, and another boot answers on a new one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import paramiko
import pytest
from pyinfra.api import Config, Inventory, State
from pyinfra.api.connect import connect_all
from pyinfra.context import ctx_state

from nexus.error import OperatorError
from nexus.transport.agent_session import AgentSession, session_of
from nexus.transport.host_client import HostClient
from runbooks.update import reboot
from tests.library.toy_hosts import Host
from tests.plan.fake_run import FakeRun
from tests.ssh_server import SshServer

NAME = "app1"


class Rebooting(Host):
    """A host on this machine whose id of the boot is in a file."""

    def __init__(self, boot: Path, key: paramiko.PKey) -> None:
        self.boot = boot
        boot.write_text("first\n")
        SshServer.__init__(self, key)

    def _within(self, command: str) -> list[str]:
        return ["sh", "-c", command]

    def lose(self) -> None:
        """End all connections, as a host that goes down."""
        for transport in self._transports:
            transport.close()
        self._transports.clear()

    def close(self) -> None:
        SshServer.close(self)


class Run(FakeRun):
    def drop_all(self) -> None:
        pass


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rebooting]:
    key = paramiko.ECDSAKey.generate()
    key.write_private_key_file(str(tmp_path / "id"))
    found = Rebooting(tmp_path / "boot_id", key)
    source = tmp_path / "update/host/reboot.py"
    source.parent.mkdir(parents=True)
    source.write_text(reboot.SOURCE.read_text().replace("/proc/sys/kernel/random/boot_id", str(found.boot)))
    monkeypatch.setattr(reboot, "SOURCE", source)
    monkeypatch.setattr(reboot, "POLL_SECONDS", 0.1)
    data = {
        "ssh_hostname": "127.0.0.1", "ssh_port": found.port, "ssh_user": "root", "ssh_key": str(tmp_path / "id"),
        "ssh_known_hosts_file": str(tmp_path / "known"), "ssh_strict_host_key_checking": "no",
        "ssh_config_file": "none", "ssh_allow_agent": False, "ssh_look_for_keys": False,
    }  # fmt: skip
    state = State(Inventory(([(NAME, data)], {})), Config())
    with ctx_state.use(state):
        connect_all(state)
        yield found
    found.close()


@pytest.mark.usefixtures("own_run")
def test_a_run_continues_after_a_reboot(host: Rebooting, monkeypatch: pytest.MonkeyPatch) -> None:
    state = ctx_state.get()
    member = state.inventory.get_host(NAME)
    session = AgentSession(state, member)
    assert reboot.state(NAME)["boot"] == "first"

    def begin(*_: Any) -> None:
        gevent.spawn_later(0.5, host.lose)
        gevent.spawn_later(1.0, host.boot.write_text, "second\n")

    monkeypatch.setattr(reboot, "carry_out", begin)
    reboot.reboot(Run(), NAME, 30)
    assert reboot.state(NAME)["boot"] == "second"
    assert session_of(member, session.arguments) is session
    assert HostClient(NAME).act_aside(reboot.SOURCE, "state", {})["boot"] == "second"


@pytest.mark.usefixtures("own_run")
def test_a_host_that_stays_away_is_told_in_time(host: Rebooting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reboot, "carry_out", lambda *_: host.close())
    with pytest.raises(OperatorError, match="app1 was rebooted and does not answer after 1 s"):
        reboot.reboot(Run(), NAME, 1)


@pytest.mark.usefixtures("own_run")
def test_the_same_boot_is_no_reboot(host: Rebooting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reboot, "carry_out", lambda *_: host.lose())
    with pytest.raises(OperatorError, match="does not answer after 1 s"):
        reboot.reboot(Run(), NAME, 1)
