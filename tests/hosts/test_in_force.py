"""What no file shows: daemons and the kernel have in force what is planned, as their own tools tell."""

from __future__ import annotations

import csv
from itertools import takewhile

import pytest

from hosts.fleet import Fleet
from hosts.item import Item

LOGS = tuple(f"logs of {name}.service" for name in ("nginx", "systemd-journald"))
PLACES = ("/etc/", "/run/systemd/system")  # of administrators, not of packages
ASIDE = ("MAINT", "DRAIN", "PAUSED", "STOP")


@pytest.mark.planned("proxy")
def test_proxy_leads_to_every_server(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    said = fleet.seen(item.host).haproxy
    if item.name == "proxy limits":
        most = f"Maxconn: {fleet.env.setting.proxy_connections}"
        assert most in said, f"{item.host}: HAProxy does not say {most}"
        return
    table = takewhile(lambda line: not line.startswith("Name: "), said)
    rows = csv.DictReader(line.removeprefix("# ") for line in table)
    own = [row for row in rows if row["pxname"] == item.name.removeprefix("proxy section ")]
    assert own, f"{item.host}: HAProxy has no section {item.name}"
    aside = [f"{row['svname']} {row['status']}" for row in own if row["status"].startswith(ASIDE)]
    assert not aside, f"{item.host}: {item.name}: {', '.join(aside)}"


@pytest.mark.planned("docker", prefix="container network")
def test_containers_have_a_way_out(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    networks = fleet.answer(item.host, "docker")["networks"]
    rules = fleet.machine(item.host).iptables.rules("nat")
    for config in (networks["docker_gwbridge"] or {"IPAM": {"Config": []}})["IPAM"]["Config"]:
        subnet = config["Subnet"]
        way = [rule for rule in rules if f"-s {subnet} " in rule and rule.endswith("-j MASQUERADE")]
        assert way, f"{item.host}: nothing masquerades {subnet}"


@pytest.mark.planned("docker", prefix="containers")
def test_no_container_is_paused(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    paused = fleet.machine(item.host).docker.get_containers(status="paused")
    assert not paused, f"{item.host}: paused: {paused}"


@pytest.mark.planned("docker", prefix="docker engine")
def test_engine_uses_its_configuration(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    info = fleet.answer(item.host, "docker")["info"]
    used = {key: info[key] for key in ("LoggingDriver", "LiveRestoreEnabled", "Driver")}
    planned = {"LoggingDriver": "json-file", "LiveRestoreEnabled": False, "Driver": "overlay2"}
    assert used == planned, f"{item.host}: the engine uses {used}, planned is {planned}"


@pytest.mark.planned("in force", prefix="sysctl ")
def test_kernel_setting(fleet: Fleet, item: Item) -> None:
    wanted, machine, name = fleet.want(item)["value"], fleet.machine(item.host), item.name.removeprefix("sysctl ")
    value = str(machine.sysctl(name))
    writable = value == wanted or machine.run_test("test -w %s", f"/proc/sys/{name.replace('.', '/')}").succeeded
    assert value == wanted or not writable, f"{item.host}: {item.name} is {value}, planned is {wanted}"


@pytest.mark.planned("in force", prefix="sshd")
def test_no_file_overrides_sshd(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    wanted = {"kbdinteractiveauthentication no", "passwordauthentication no", "x11forwarding no", "maxsessions 50"}
    missing = wanted - set(fleet.machine(item.host).check_output("sshd -T").splitlines())
    assert not missing, f"{item.host}: sshd does not say {', '.join(sorted(missing))}"


@pytest.mark.planned("in force", prefix="journald")
def test_no_file_overrides_journald(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    wanted = fleet.env.host(item.host).setting.base_journal_bytes_max
    found = fleet.seen(item.host).journald.get("SystemMaxUse")
    assert found == wanted, f"{item.host}: journald keeps {found}, planned is {wanted}"


@pytest.mark.planned("in force", prefix="units")
def test_no_drop_in_that_nobody_planned(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    planned = {other.name for other in fleet.wanted if other.host == item.host and other.kind == "file"}
    for name, unit in fleet.seen(item.host).units.items():
        paths = unit.get("DropInPaths", "").split()
        foreign = sorted({path for path in paths if path.startswith(PLACES)} - planned)
        assert not foreign, f"{item.host}: unit {name} is changed by {', '.join(foreign)}"


@pytest.mark.planned(*LOGS)
def test_log_files_are_those_that_are_there(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    lost = fleet.seen(item.host).lost
    assert not lost, f"{item.host}: written to although removed: {', '.join(sorted(set(lost)))}"


@pytest.mark.planned("router", prefix="router config")
def test_router_configuration_in_force(fleet: Fleet, item: Item) -> None:
    found = fleet.web(item.host, "router health")
    there, wanted = found["headers"].get("x-router-config"), fleet.want(item)["sha256"]
    assert there == wanted, f"{item.host}: the router runs with configuration {there}, planned is {wanted}"


@pytest.mark.planned("nginx", prefix="nginx config")
def test_nginx_configuration_in_force(fleet: Fleet, item: Item) -> None:
    found, wanted = fleet.web(item.host, "nginx config")["body"].strip(), fleet.want(item)["sha256"]
    assert found == wanted, f"{item.host}: Nginx's workers have configuration {found}, planned is {wanted}"
