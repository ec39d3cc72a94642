"""The firewall on the lab: the platform works behind it, nothing else arrives, and a mistake heals itself."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Figure
from control import Control, copy_of_project, ended

from nexus.provider.lab.machine import wait_until

FIREWALL = "deploys/firewall.py"
ON = {"firewall_enabled": True}
PORT = 8099  # no role listens there
LISTENER = f"systemd-run --quiet --unit=nexus-test-listener python3 -m http.server {PORT}"
OVER = "systemctl stop nexus-test-listener"
TIMES, HEALED_SECONDS = 20, 35
BOOT = "cat /proc/sys/kernel/random/boot_id"
EARLY = f"[Service]\nExecStart=/usr/bin/python3 -m http.server {PORT}\n[Install]\nWantedBy=sysinit.target\n"


@pytest.fixture(scope="module")
def walled(control: Control) -> Iterator[Control]:
    """The lab with its firewall; without it afterwards."""
    done = control.run(deploy=FIREWALL, data=ON)
    assert done.status == 0, done.end
    try:
        yield control
    finally:
        control.converged()
        assert control.converged().changes == []
        assert "nexus" not in control.ssh(control.names[0], "sudo nft list tables")


def reaches(address: str, port: int) -> bool:
    """Whether this machine can open a connection."""
    try:
        socket.create_connection((address, port), 2).close()
    except OSError:
        return False
    return True


def test_the_platform_works_behind_the_firewall(walled: Control, figure: Figure) -> None:
    done = walled.converged(ON)
    assert done.changes == [], done.end
    figure("firewall: run without changes", done.seconds)


def test_what_no_role_declares_does_not_arrive(walled: Control) -> None:
    names = walled.names
    addresses = {name: walled.lab.host(name).address for name in names}
    walled.everywhere(lambda name: walled.ssh(name, f"sudo {LISTENER}"))
    try:
        asks = "bash -c 'exec 3<>/dev/tcp/{}/{}' 2>/dev/null && echo open || echo closed"
        own = walled.everywhere(lambda name: walled.ssh(name, asks.format(addresses[name], PORT)).strip())
        assert own == dict.fromkeys(names, "open"), "the listeners do not listen"
        assert [name for name in names if reaches(addresses[name], PORT)] == []
        other = {name: addresses[names[index - 1]] for index, name in enumerate(names)}
        from_others = walled.everywhere(
            lambda name: walled.ssh(name, f"timeout 3 {asks.format(other[name], PORT)}").strip()
        )
        assert {name: state for name, state in from_others.items() if state == "open"} == {}
    finally:
        walled.everywhere(lambda name: walled.ssh(name, f"sudo {OVER}"))
    edge = walled.planned.group("edge")[0]
    assert reaches(edge.address, int(edge.setting.nginx_https_port))
    assert not reaches(edge.address, int(edge.setting.router_port))


@pytest.mark.full
def test_rules_that_shut_out_this_machine_heal(walled: Control, tmp_path: Path, figure: Figure) -> None:
    """A rule that drops new connections to SSH, on all hosts at once."""
    project = copy_of_project(tmp_path / "broken", environment=walled.name)
    template = project / "templates/firewall/rules.nft.j2"
    text, rule = template.read_text(), '        iifname "lo" accept\n'
    assert text.count(rule) == 1
    template.write_text(text.replace(rule, f"        tcp dport 22 ct state new drop\n{rule}"))
    address, longest = walled.lab.host(walled.names[-1]).address, 0.0
    for _ in range(TIMES):
        running = Control(walled.name, project).start(deploy=FIREWALL, data=ON)
        assert wait_until(lambda: not reaches(address, 22), 120), "the rules do not close SSH"
        began = time.monotonic()
        assert wait_until(lambda: reaches(address, 22), HEALED_SECONDS), "SSH stays closed"
        longest = max(longest, time.monotonic() - began)
        status, output = ended(running, 120)
        assert status != 0
        assert "no new connection is possible with the new rules" in output, output
    figure(f"firewall: SSH closed by a mistake, longest of {TIMES}", longest)
    assert walled.converged(ON).changes == []


@pytest.mark.full
def test_a_host_is_closed_from_its_start(walled: Control) -> None:
    name, unit = walled.group("app")[-1], "/etc/systemd/system/nexus-test-listener.service"
    address, before = walled.lab.host(name).address, walled.ssh(name, BOOT)
    walled.ssh(name, f"sudo tee {unit}; sudo systemctl enable nexus-test-listener", EARLY)
    try:
        walled.ssh(name, "sudo systemctl --no-block reboot")
        opened = 0
        while not _returned(walled, name, before):
            opened += reaches(address, PORT)
        assert opened == 0
    finally:
        walled.ssh(
            name, "sudo sh -c 'systemctl disable -q --now nexus-test; rm /etc/systemd/system/nexus-test.service'"
        )
    walled.wait_healthy(180)
    assert walled.converged(ON).changes == []


def _returned(control: Control, name: str, before: str) -> bool:
    try:
        return control.ssh(name, BOOT) != before
    except RuntimeError:
        return False
