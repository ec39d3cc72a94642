"""Health: every service answers ready at the router, asked on the edge host itself."""

from __future__ import annotations

import json

import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from roles.health.plan import probes
from roles.image.checkout import checkout

testinfra_hosts = ["edge"]


def test_router_answers(host, setting):
    assert (
        host.check_output(f"curl -sS -m 5 -o /dev/null -w '%{{http_code}}' 127.0.0.1:{setting.router_port}/health")
        == "200"
    )


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
