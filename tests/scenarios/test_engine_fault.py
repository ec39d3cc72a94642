"""Faults that no file shows: each is made by hand on a host, and the next run names and fixes it.

Proxies' state in memory, kernel rules, swarm nodes, lost log files, settings that are not in force.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from conftest import Figure
from control import Control, Outcome

from nexus.provider.lab.machine import wait_until
from roles.proxy.plan import PATHS

ASK = """sudo python3 -I -c '
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect("{socket}")
connection.sendall(b"{command}\\n")
print(b"".join(iter(lambda: connection.recv(65536), b"")).decode())'"""


@dataclass(frozen=True)
class Fault:
    """A fault made by hand on a host of a group; the role and words that report it, and how to undo it if needed."""

    kind: str
    group: str
    command: str
    role: str
    words: str
    back: str = "true"


def haproxy(command: str) -> str:
    """A command to the socket of a host's HAProxy."""
    return ASK.format(socket=PATHS["socket"], command=command)


FLUSH = "sudo sh -c 'iptables -P FORWARD ACCEPT; for t in filter nat; do iptables -t $t -F; iptables -t $t -X; done'"
# Not the service that another fault rolls: its containers are replaced meanwhile.
ONE = "$(sudo docker ps --format '{{.Names}}' --filter label=nexus.service | grep -v nexus_glitch | head -n 1)"
FAULTS = [
    Fault(
        "a server in maintenance", "app", haproxy("disable server postgresql/data1"),
        "proxy", "server data1 is in MAINT", haproxy("set server postgresql/data1 state ready"),
    ),
    Fault("a frontend paused", "app2", haproxy("disable frontend redis"), "proxy", "its frontend is PAUSED"),
    Fault("a weight", "app3", haproxy("set weight rabbitmq/data2 0"), "proxy", "server data2 has weight 0 instead of"),
    Fault("a limit of connections", "app3", haproxy("set maxconn global 100"), "proxy", "takes 100 connections"),
    Fault(
        "a node drained", "app", "sudo docker node update --availability drain edge1",
        "swarm", "availability drain -> active", "sudo docker node update --availability active edge1",
    ),
    Fault(
        "a label removed", "app", "sudo docker node update --label-rm nexus.host app2",
        "swarm", "member app2: labels differs", "sudo docker node update --label-add nexus.host=app2 app2",
    ),
    Fault("a kernel setting", "app2", "sudo sysctl -qw net.core.somaxconn=128", "base", "128 is in force instead of"),
    Fault(
        "forwarding", "app3", "sudo sysctl -qw net.ipv4.ip_forward=0", "docker", "net.ipv4.ip_forward is 0",
        "sudo sysctl -qw net.ipv4.ip_forward=1",
    ),
    Fault("a bridge", "ops", "sudo ip link set docker0 down", "docker", "docker0 is switched off"),
    Fault("a log directory", "edge", "sudo rm -rf /var/log/nginx", "nginx", "directory /var/log/nginx: is missing"),
    Fault(
        "a port", "app",
        "sudo docker service update -qd --publish-add mode=host,published=9999,target=9999 nexus_glitch",
        "service", "published differs",
    ),
    Fault("rules flushed", "ops", "sudo iptables -t nat -F && sudo iptables -F FORWARD", "docker", "POSTROUTING MASQ"),
    Fault("a container paused", "app3", f"sudo docker pause {ONE}", "docker", "paused by hand: nexus_"),
]  # fmt: skip

OVERRIDES = {
    "/etc/systemd/system/redis-server.service.d/override.conf": r'"[Service]\nLimitNOFILE=100\n"',
    "/etc/ssh/sshd_config.d/00-by-hand.conf": r'"PasswordAuthentication yes\n"',
    "/etc/sysctl.d/99-by-hand.conf": r'"net.core.somaxconn=128\n"',
}
WRITE = " && ".join(f"mkdir -p $(dirname {path}) && printf {text} >{path}" for path, text in OVERRIDES.items())
BACK = f"sudo rm -f {' '.join(OVERRIDES)} && sudo systemctl daemon-reload"
TOLD = Fault("files that override ours", "redis", f"sudo sh -ec '{WRITE}; systemctl daemon-reload'", "base", "", BACK)


def place(control: Control, group: str) -> str:
    """A host of a group, or the host of that name."""
    return group if group in control.names else control.group(group)[0]


@pytest.fixture
def settled(control: Control) -> Iterator[Control]:
    """The environment as planned, before and after the test."""
    control.converged()
    yield control
    control.converged()


@contextmanager
def faults(control: Control, *wanted: Fault) -> Iterator[None]:
    """Set the faults; undo them by hand if the test did not get that far."""
    try:
        for fault in wanted:
            control.ssh(place(control, fault.group), fault.command)
        yield
    finally:
        for fault in wanted:
            control.ssh(place(control, fault.group), fault.back)


def untold(outcome: Outcome, wanted: list[Fault]) -> list[str]:
    """Faults that are missing in the output."""
    return [fault.kind for fault in wanted if fault.words not in outcome.output]


def test_faults_that_no_file_shows_are_named_and_undone(settled: Control, figure: Figure) -> None:
    host = settled.group("redis")[0]
    with faults(settled, TOLD, *FAULTS):
        status = settled.run(deploy="deploys/status.py")
        drift = settled.run(deploy="deploys/drift.py")
        done = settled.run()
        again = settled.run()
        left = settled.ssh(host, f"ls {' '.join(OVERRIDES)}").split()
    assert (status.status, drift.status, done.status) == (1, 1, 0), done.end
    rows = [fault for fault in FAULTS if fault.role != "nginx"]
    assert (untold(status, rows), untold(drift, FAULTS), untold(done, FAULTS)) == ([], [], []), done.end
    for outcome in (status, drift, done, again):  # an administrator's own rule: reported in each run, and kept
        assert [path for path in OVERRIDES if path not in outcome.output] == [], outcome.end
    assert sorted(left) == sorted(OVERRIDES)
    assert (again.status, again.changes) == (0, []), again.end
    figure("engine: run that fixed faults made by hand", done.seconds)


@pytest.mark.full
def test_a_health_check_names_the_known_cause(settled: Control, figure: Figure) -> None:
    members = [haproxy(f"disable server redis/{name}") for name in settled.group("redis")]
    back = [haproxy(f"set server redis/{name} state ready") for name in settled.group("redis")]
    app = Fault("redis", "app", " && ".join(members), "proxy", "is in MAINT", " && ".join(back))
    began = time.monotonic()
    with faults(settled, app):
        assert wait_until(lambda: bool(settled.unhealthy()), 60, pause=1)
        done = settled.run(deploy="deploys/verify.py")
    assert done.status == 1
    assert "known cause: app1: proxy: proxy section redis: set by hand:" in done.output, done.end
    assert time.monotonic() - began < 120
    figure("health check with a known cause", done.seconds)
    settled.wait_healthy(60)


@pytest.mark.full
@pytest.mark.parametrize(
    ("group", "command"), [("app", "sudo iptables -t nat -F"), ("edge", FLUSH), ("app2", "sudo iptables -F FORWARD")]
)
def test_flushed_rules_under_services(settled: Control, figure: Figure, group: str, command: str) -> None:
    settled.ssh(place(settled, group), command)
    with Away(settled) as away:
        done = settled.run()
    assert done.status == 0, done.end
    assert "restart: containers cannot reach the network" in done.output, done.end
    figure(f"Docker's rules restored ({group}): run", done.seconds)
    figure(f"Docker's rules restored ({group}): time with a service not ready", away.seconds)
    again = settled.run()
    assert (again.status, again.changes) == (0, []), again.end


class Away:
    """How long any service was not ready, polled at the router twice a second."""

    def __init__(self, control: Control) -> None:
        self.control, self.seconds, self._ends = control, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Away:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join(30)

    def _watch(self) -> None:
        while not self._ends.wait(0.5):
            began = time.monotonic()
            if self.control.unhealthy():
                self.seconds += time.monotonic() - began + 0.5


@pytest.mark.full
def test_a_locked_manager_is_unlocked(settled: Control) -> None:
    first, second = settled.group("app")[:2]
    settled.ssh(first, "sudo docker swarm update --autolock=true >/dev/null")
    try:
        settled.ssh(second, "sudo systemctl restart docker", seconds=120)
        done = settled.run()
    finally:
        settled.ssh(first, "sudo docker swarm update --autolock=false >/dev/null")
    assert done.status == 0, done.end
    assert "state locked -> active" in done.output, done.end
    assert "docker swarm update --autolock=false" in done.output, done.end
    assert settled.run().changes == []


@pytest.mark.full
def test_a_proxy_that_hangs_is_started_again(settled: Control) -> None:
    host = settled.group("app")[0]
    settled.ssh(host, "sudo systemctl kill -s STOP haproxy")
    done = settled.run()
    assert done.status == 0, done.end
    assert "state of proxy: could not be probed: " in done.output, done.end
    assert settled.run().changes == []


@pytest.mark.full
def test_a_router_that_does_not_listen_is_reloaded(settled: Control) -> None:
    edge = settled.group("edge")[0]
    settled.ssh(edge, "sudo docker kill -s SIGTTOU $(sudo docker ps -q --filter label=nexus.service=router)")
    done = settled.run()
    assert done.status == 0, done.end
    assert settled.run().changes == []


@pytest.mark.full
def test_a_deleted_journal_is_recreated(settled: Control) -> None:
    host = settled.group("ops")[0]
    settled.ssh(host, "sudo rm -rf /var/log/journal")
    done = settled.run()
    assert done.status == 0, done.end
    assert "directory /var/log/journal: is missing" in done.output, done.end
    assert settled.run().changes == []
    assert settled.ssh(host, "sudo find /var/log/journal -name 'system*.journal'").strip()


def test_a_router_is_closed_to_its_runtime_api(settled: Control) -> None:
    """An administrator cannot take a task out by hand: the socket accepts only operator commands, not admin ones."""
    port = settled.planned.setting.router_admin_port
    shell = f"exec 3<>/dev/tcp/127.0.0.1/{port}; echo disable server glitch/task1 >&3; cat <&3"
    container = "$(sudo docker ps -q --filter label=nexus.service=router)"
    said = settled.ssh(settled.group("edge")[0], f"sudo docker exec {container} bash -c '{shell}'")
    assert "Permission denied" in said
