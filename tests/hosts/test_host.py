"""The host as a whole: what listens, who runs it, and what is closed to other hosts."""

from __future__ import annotations

import pytest

from hosts.fleet import Fleet
from hosts.listener import Planned, planned
from hosts.look import Listener
from hosts.question import router_ports
from nexus.environment.environment import Host


def sockets(fleet: Fleet, hostname: str) -> tuple[Host, list[Planned]]:
    """The host, and what is planned to listen on it."""
    found = fleet.env.host(hostname)
    return found, planned(fleet.env, found)


def matches(wanted: Planned, found: Listener) -> bool:
    """Whether the socket is the planned one."""
    return (found.protocol, found.port, found.process) == (wanted.protocol, wanted.port, wanted.process)


@pytest.mark.hosts
def test_what_is_planned_listens(fleet: Fleet, hostname: str) -> None:
    found = [listener for listener in fleet.seen(hostname).listeners if not listener.loopback]
    _, wanted = sockets(fleet, hostname)
    missing = [one for one in wanted if one.needed and not any(matches(one, there) for there in found)]
    assert not missing, f"{hostname}: nothing listens as planned: {', '.join(map(str, missing))}"


@pytest.mark.hosts
def test_nothing_else_listens(fleet: Fleet, hostname: str) -> None:
    _, wanted = sockets(fleet, hostname)
    found = [listener for listener in fleet.seen(hostname).listeners if not listener.loopback]
    others = [there for there in found if not any(matches(one, there) for one in wanted)]
    assert not others, f"{hostname}: listens though it is not planned: {', '.join(map(str, others))}"


@pytest.mark.hosts
def test_who_listens(fleet: Fleet, hostname: str) -> None:
    seen = fleet.seen(hostname)
    _, wanted = sockets(fleet, hostname)
    wrong = [
        f"{there} runs as {seen.processes[pid].user}, planned is {' or '.join(sorted(one.users))}"
        for one in wanted
        for there in seen.listeners
        if matches(one, there)
        for pid in there.pids
        if pid in seen.processes and seen.processes[pid].user not in one.users
    ]
    assert not wrong, f"{hostname}: {'; '.join(sorted(set(wrong)))}"


@pytest.mark.hosts
def test_routers_are_closed_to_other_hosts(fleet: Fleet, hostname: str) -> None:
    if "edge" in fleet.env.host(hostname).groups:
        pytest.skip("asked from the other hosts")
    found = dict(fleet.answer(hostname, "port"))
    for edge in fleet.env.group("edge"):
        door = f"{edge.address}:{edge.setting.nginx_https_port}"
        assert found.pop(door) == "open", f"{hostname}: the edge at {door} cannot be reached, so nothing is proven"
    inside = {f"{edge.address}:{port}" for edge in fleet.env.group("edge") for port in router_ports(edge)}
    let_in = [place for place, how in found.items() if how == "open" and place in inside]
    assert not let_in, f"{hostname} reaches the router at {', '.join(let_in)}; only the edge itself may"
