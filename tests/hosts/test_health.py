"""The router: its configuration, its guard, and every service ready behind it, asked on the edge host itself."""

from __future__ import annotations

import json
import re

import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from roles.health.plan import probes
from roles.image.checkout import checkout

CHAIN = "NEXUS-ROUTER"


@pytest.mark.planned("router", prefix="router config")
def test_configuration_in_force(fleet: Fleet, item: Item) -> None:
    found = fleet.web(item.host, "router health")
    there, wanted = found["headers"].get("x-router-config"), fleet.want(item)["sha256"]
    assert there == wanted, f"{item.host}: the router runs with configuration {there}, planned is {wanted}"


@pytest.mark.planned("router", prefix="router guard")
def test_guard(fleet: Fleet, item: Item) -> None:
    rules, wanted = fleet.seen(item.host).rules, fleet.want(item)["rules"]
    own = [rule for rule in rules if rule.startswith(f"-A {CHAIN} ")]
    stamps = {found[1] for rule in own for found in [re.search(r"nexus-router (\w+) ", rule)] if found}
    assert stamps == {wanted}, f"{item.host}: rules of {CHAIN} carry {stamps or 'nothing'}, planned is {wanted}"
    for port in (fleet.env.setting.router_port, fleet.env.setting.router_metrics_port):
        closed = [rule for rule in own if f"--ctorigdstport {port} " in rule and rule.endswith("-j DROP")]
        assert closed, f"{item.host}: {CHAIN} does not close port {port}"
    for chain in ("INPUT", "DOCKER-USER"):
        first = next((rule for rule in rules if rule.startswith(f"-A {chain} ")), "nothing")
        assert first.endswith(f"-j {CHAIN}"), f"{item.host}: the first rule of {chain} is {first}"


@pytest.mark.planned("health", prefix="service ")
def test_ready(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    name = item.name.removeprefix("service ")
    path, answer = probes(fleet.env)[name], fleet.web(item.host, f"ready {name}")
    status, text = answer["status"], answer["body"][:400]
    assert status == 200, f"{item.host}: {name} answers {path} with {status}: {text}"
    code = checkout(fleet.env)
    if code and code.has(fleet.env.catalogue.service(name)):
        return  # code of its own, which says what it likes
    body = json.loads(answer["body"])
    assert body["service"] == name, f"{item.host}: {body['service']} answered in place of {name}"
    stores = fleet.env.catalogue.service(name).stores
    absent = [store for store in stores if not fleet.env.present(store, name)]
    assert sorted(body["absent"]) == sorted(absent), f"{item.host}: {name} names absent {body['absent']}, not {absent}"
    working = {store for store, found in body["stores"].items() if found["status"] == "ok"}
    missing = set(stores) - set(absent) - working
    assert not missing, f"{item.host}: {name} is ready without {', '.join(sorted(missing))}: {body['stores']}"


@pytest.mark.planned("nginx", prefix="nginx config")
def test_nginx_configuration_in_force(fleet: Fleet, item: Item) -> None:
    found, wanted = fleet.web(item.host, "nginx config")["body"].strip(), fleet.want(item)["sha256"]
    assert found == wanted, f"{item.host}: Nginx's workers have configuration {found}, planned is {wanted}"
