"""The host as a whole: what listens, who runs what, what failed, who may log in."""

from __future__ import annotations

import pytest
from testinfra.host import Host as Machine

from hosts.fleet import Fleet
from hosts.listener import Planned, planned
from hosts.look import Listener
from hosts.question import router_ports
from nexus.environment.environment import Host


def sockets(fleet: Fleet, host: str) -> tuple[Host, list[Planned]]:
    """The host, and what is planned to listen on it."""
    found = fleet.env.host(host)
    return found, planned(fleet.env, found)


def matches(wanted: Planned, found: Listener) -> bool:
    """Whether the socket is the planned one."""
    return (found.protocol, found.port, found.process) == (wanted.protocol, wanted.port, wanted.process)


@pytest.mark.hosts
def test_what_is_planned_listens(fleet: Fleet, host: str) -> None:
    found = [listener for listener in fleet.seen(host).listeners if not listener.loopback]
    _, wanted = sockets(fleet, host)
    missing = [one for one in wanted if one.needed and not any(matches(one, there) for there in found)]
    assert not missing, f"{host}: nothing listens as planned: {', '.join(map(str, missing))}"


@pytest.mark.hosts
def test_nothing_else_listens(fleet: Fleet, host: str) -> None:
    _, wanted = sockets(fleet, host)
    found = [listener for listener in fleet.seen(host).listeners if not listener.loopback]
    others = [there for there in found if not any(matches(one, there) for one in wanted)]
    assert not others, f"{host}: listens though it is not planned: {', '.join(map(str, others))}"


@pytest.mark.hosts
def test_who_listens(fleet: Fleet, host: str) -> None:
    seen = fleet.seen(host)
    _, wanted = sockets(fleet, host)
    wrong = [
        f"{there} runs as {seen.processes[pid].user}, planned is {' or '.join(sorted(one.users))}"
        for one in wanted
        for there in seen.listeners
        if matches(one, there)
        for pid in there.pids
        if pid in seen.processes and seen.processes[pid].user not in one.users
    ]
    assert not wrong, f"{host}: {'; '.join(sorted(set(wrong)))}"


@pytest.mark.hosts
def test_no_unit_failed(fleet: Fleet, host: str) -> None:
    failed = fleet.seen(host).failed
    assert not failed, f"{host}: failed units: {', '.join(failed)}"


@pytest.mark.hosts
def test_log_in_is_by_key_and_not_as_root(fleet: Fleet, host: str) -> None:
    said = fleet.seen(host).sshd
    user = fleet.env.host(host).setting.base_user
    wanted = {"permitrootlogin no", "passwordauthentication no", f"allowusers {user}"}
    assert wanted <= said, f"{host}: sshd does not say {', '.join(sorted(wanted - said))}"


@pytest.mark.hosts
def test_system_is_up(found_machine: Machine, host: str) -> None:
    said = found_machine.run("systemctl is-system-running").stdout.strip()
    assert said == "running", f"{host}: systemd says {said}, planned is running"


@pytest.mark.hosts
def test_kernel_settings_are_in_force(fleet: Fleet, host: str) -> None:
    wanted = {name: str(value) for name, value in fleet.env.host(host).setting.base_sysctl.items()}
    found = fleet.seen(host).sysctl
    wrong = {name: found[name] for name, value in wanted.items() if found[name][1] != value}
    locked = [name for name, (writable, _) in wrong.items() if not writable]
    own = [f"{name} is {wrong[name][1]}, planned is {wanted[name]}" for name in wrong if name not in locked]
    assert not own, f"{host}: {'; '.join(own)}"
    if locked:
        pytest.skip(f"{', '.join(sorted(locked))}: the host's kernel belongs to the machine around it")


@pytest.mark.hosts("app", "edge")
def test_no_container_runs_as_root(fleet: Fleet, host: str) -> None:
    containers = fleet.answer(host, "docker")["containers"]
    processes = fleet.seen(host).processes
    by_name = {container["Name"].lstrip("/"): processes.get(container["State"]["Pid"]) for container in containers}
    as_root = [name for name, process in by_name.items() if process and process.uid == 0]
    assert not as_root, f"{host}: containers that run as root: {', '.join(as_root)}"
    platform = int(fleet.env.setting.image_user_id)
    node = {process.uid for process in processes.values() if process.name == "node"}
    assert node <= {platform}, f"{host}: services run as {sorted(node)}, planned is {platform}"


@pytest.mark.hosts
def test_routers_are_closed_to_other_hosts(fleet: Fleet, host: str) -> None:
    if "edge" in fleet.env.host(host).groups:
        pytest.skip("asked from the other hosts")
    found = dict(fleet.answer(host, "port"))
    for edge in fleet.env.group("edge"):
        door = f"{edge.address}:{edge.setting.nginx_https_port}"
        assert found.pop(door) == "open", f"{host}: the edge at {door} cannot be reached, so nothing is proven"
    inside = {f"{edge.address}:{port}" for edge in fleet.env.group("edge") for port in router_ports(edge)}
    let_in = [place for place, how in found.items() if how == "open" and place in inside]
    assert not let_in, f"{host} reaches the router at {', '.join(let_in)}; only the edge itself may"
