"""The firewall on the lab: the platform works behind it, nothing else arrives, and a mistake heals itself."""

from __future__ import annotations

import random
import re
import socket
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Figure
from control import Control, copy_of_project, ended
from database import Database
from http_load import Requests
from reach import OUTSIDE, RANDOM_PORTS, Place, Reach, versions
from websocket_load import WebSockets

from nexus.provider.lab.defaults import GATEWAY
from nexus.provider.lab.machine import wait_until

FIREWALL = "deploys/firewall.py"
PORT = 8099  # no role listens there
TIMES, HEALED_SECONDS = 20, 35
BOOT = "cat /proc/sys/kernel/random/boot_id"
EARLY = f"[Service]\nExecStart=/usr/bin/python3 -m http.server {PORT}\n[Install]\nWantedBy=sysinit.target\n"
FOREIGN = (
    "add table inet nexus_test\nadd chain inet nexus_test other\nadd rule inet nexus_test other tcp dport 1 drop\n"
)
OURS = re.compile(r"^table inet nexus \{\n.*?^\}\n", re.MULTILINE | re.DOTALL)
CHANGES, SOCKETS, RATE = 50, 100, 150
SERVICE, PATH = "session-mgr", "/api/sessions/"
SENDERS = "select pid, client_addr from pg_stat_replication order by pid"


@pytest.fixture(scope="module")
def reach(control: Control, full: bool, pytestconfig: pytest.Config) -> Reach:
    """Questions to all ports that a role declares, and to some that none does."""
    chance = random.Random(pytestconfig.getoption("--seed"))
    return Reach(control, chance, RANDOM_PORTS if full else RANDOM_PORTS // 10)


def rules_of_others(control: Control, name: str) -> str:
    """All rules of a host but ours, without counters."""
    return OURS.sub("", control.ssh(name, "sudo nft --stateless list ruleset"))


def reaches(address: str, port: int) -> bool:
    """Whether this machine can open a connection."""
    try:
        socket.create_connection((address, port), 2).close()
    except OSError:
        return False
    return True


def test_off_and_on_again(control: Control, reach: Reach) -> None:
    """Rules of others stay. Without ours, ports that no role declares are seen: else the next tests prove nothing."""
    name = control.group("ops")[0]
    control.everywhere(lambda name: control.ssh(name, "sudo nft -f -", FOREIGN))
    try:
        before = control.everywhere(lambda name: rules_of_others(control, name))
        assert all("nexus_test" in text for text in before.values())
        done = control.run(deploy=FIREWALL, data={"firewall_enabled": False})
        assert (done.status, len(done.changes) > 0) == (0, True), done.end
        assert "inet nexus\n" not in control.ssh(name, "sudo nft list tables")
        found = reach.differences([name])
        done = control.run(deploy=FIREWALL)
        assert (done.status, len(done.changes) > 0) == (0, True), done.end
        assert control.everywhere(lambda name: rules_of_others(control, name)) == before
    finally:
        control.everywhere(lambda name: control.ssh(name, "sudo nft delete table inet nexus_test"))
    for place in (Place(OUTSIDE), Place(control.group("edge")[0], control.group("edge")[0])):
        for version in versions(place):
            said = {
                f"{place.name} to port {port} of {name} by IPv{version}: arrives, and no flow says so"
                for port in reach.ports[name]
                if port not in reach.declared
            }
            assert said <= set(found)
    assert control.converged().changes == []


def test_declared_ports_are_reached_and_no_others(control: Control, reach: Reach, figure: Figure) -> None:
    began, found = time.monotonic(), reach.differences()
    figure("firewall: seconds of asking all ports from everywhere", time.monotonic() - began)
    figure("firewall: differences from the declared flows", len(found))
    assert found == []


def test_datagrams_to_other_ports_do_not_arrive(control: Control, reach: Reach) -> None:
    found = reach.datagrams()
    own = {name: {tuple(senders) for senders in ports.values()} for name, ports in found.items()}
    assert own == {name: {(name,)} for name in control.names}  # its own ones show that each listener works


def restart_docker(control: Control, name: str) -> None:
    control.ssh(name, "sudo systemctl restart docker", seconds=180)


def load_again(control: Control, name: str) -> None:
    control.ssh(name, "sudo systemctl restart nexus-firewall")


def restart(control: Control, name: str) -> None:
    before = control.ssh(name, BOOT)
    control.ssh(name, "sudo systemctl --no-block reboot")
    assert wait_until(lambda: _returned(control, name, before), 120)


def release(control: Control, name: str) -> None:
    data = {"service": SERVICE, "release": f"firewall-{uuid.uuid4().hex[:8]}"}
    done = control.run(deploy="deploys/release.py", data=data)
    assert done.status == 0, done.end


@pytest.mark.full
@pytest.mark.parametrize("happens", [restart_docker, load_again, restart, release])
def test_nothing_opens_or_closes_when(control: Control, reach: Reach, happens: Callable[[Control, str], None]) -> None:
    for name in (control.group("app")[0], control.group("edge")[0]):
        happens(control, name)
        control.wait_healthy(300)
        assert reach.differences([name]) == []


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_no_connection_breaks_while_rules_change(control: Control, database: Database, figure: Figure) -> None:
    """Requests, open WebSockets and replication, while operators' networks change again and again."""
    networks = [[f"{GATEWAY}/32"], []]
    replication = database.sql("postgres", SENDERS)
    with Requests(control, PATH, SERVICE, rate=RATE) as load, WebSockets(control, SOCKETS) as sockets:
        for number in range(CHANGES):
            done = control.run(deploy=FIREWALL, data={"firewall_operator_networks": networks[number % 2]})
            assert (done.status, len(done.changes) >= len(control.names)) == (0, True), done.end
    figure(f"firewall: {CHANGES} changes of rules, requests", len(load.answered))
    figure("firewall: failed requests meanwhile", len(load.failed))
    figure(f"firewall: broken of {SOCKETS} WebSockets", len(sockets.broken))
    assert not load.failed, load.told()
    assert sockets.broken == []
    assert database.sql("postgres", SENDERS) == replication


@pytest.mark.full
def test_rules_that_shut_out_this_machine_heal(control: Control, tmp_path: Path, figure: Figure) -> None:
    """A rule that drops new connections to SSH, on all hosts at once."""
    project = copy_of_project(tmp_path / "broken", environment=control.name)
    template = project / "templates/firewall/rules.nft.j2"
    text, rule = template.read_text(), '        iifname "lo" accept\n'
    assert text.count(rule) == 1
    template.write_text(text.replace(rule, f"        tcp dport 22 ct state new drop\n{rule}"))
    address, longest = control.lab.host(control.names[-1]).address, 0.0
    for _ in range(TIMES):
        running = Control(control.name, project).start(deploy=FIREWALL)
        assert wait_until(lambda: not reaches(address, 22), 120), "the rules do not close SSH"
        began = time.monotonic()
        assert wait_until(lambda: reaches(address, 22), HEALED_SECONDS), "SSH stays closed"
        longest = max(longest, time.monotonic() - began)
        status, output = ended(running, 120)
        assert status != 0
        assert "no new connection is possible with the new rules" in output, output
    figure(f"firewall: SSH closed by a mistake, longest of {TIMES}", longest)
    assert control.converged().changes == []


@pytest.mark.full
def test_a_host_is_closed_from_its_start(control: Control) -> None:
    name, unit = control.group("app")[-1], "/etc/systemd/system/nexus-test-listener.service"
    address, before = control.lab.host(name).address, control.ssh(name, BOOT)
    control.ssh(name, f"sudo tee {unit}; sudo systemctl enable nexus-test-listener", EARLY)
    try:
        control.ssh(name, "sudo systemctl --no-block reboot")
        opened = 0
        while not _returned(control, name, before):
            opened += reaches(address, PORT)
        assert opened == 0
        assert control.ssh(name, "systemctl is-active nexus-test-listener") == "active\n", "nothing is proven"
    finally:
        control.ssh(name, f"sudo sh -c 'systemctl disable -q --now nexus-test-listener; rm {unit}'")
    control.wait_healthy(180)
    assert control.converged().changes == []


def _returned(control: Control, name: str, before: str) -> bool:
    try:
        return control.ssh(name, BOOT) != before
    except RuntimeError:
        return False
