"""The swarm and what runs in it, as its engines tell; images as the registry tells."""

from __future__ import annotations

from typing import Any

import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from roles.registry.plan import repository
from roles.service.released import released
from roles.service.stack import NAME as STACK

MTU = "com.docker.network.driver.mtu"


def swarm(fleet: Fleet, hostname: str) -> dict[str, Any]:
    """What the engine of a host says of itself in the swarm."""
    found: dict[str, Any] = fleet.answer(hostname, "docker")["info"]["Swarm"]
    return found


def network(fleet: Fleet, item: Item) -> dict[str, Any]:
    """Subnet, MTU, driver and openness of a network, as the plan names them."""
    found = fleet.answer(item.host, "docker")["networks"][item.name.removeprefix("network ")]
    assert found, f"{item.host}: {item.name} is missing"
    subnet = ",".join(config["Subnet"] for config in found["IPAM"]["Config"])
    options = found["Options"] or {}
    return {
        "subnet": subnet,
        "mtu": int(options.get(MTU, 0)),
        "driver": found["Driver"],
        "attachable": found["Attachable"],
    }


def compare(item: Item, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The check fails where planned properties are others; hashes, which explain nothing, are told last."""
    keys = sorted((key for key in wanted if key != "name"), key=lambda key: key == "hash")
    wrong = [f"{key} is {found.get(key)}, planned is {wanted[key]}" for key in keys if found.get(key) != wanted[key]]
    assert not wrong, f"{item.host}: {item.name}: {'; '.join(wrong)}"


@pytest.mark.planned("swarm_node", prefix="network ")
def test_bridge(fleet: Fleet, item: Item) -> None:
    compare(item, network(fleet, item), fleet.want(item))


@pytest.mark.planned("swarm_cluster", prefix="network ")
def test_overlay(fleet: Fleet, item: Item) -> None:
    compare(item, network(fleet, item), fleet.want(item))


@pytest.mark.planned("swarm_node", prefix="node")
def test_node(fleet: Fleet, item: Item) -> None:
    found = swarm(fleet, item.host)
    role = "manager" if found["ControlAvailable"] else "worker"
    compare(item, {"state": found["LocalNodeState"], "address": found["NodeAddr"], "role": role}, fleet.want(item))
    assert not found["Error"], f"{item.host}: the engine says of the swarm: {found['Error']}"


@pytest.mark.planned("swarm_cluster", prefix="member ")
def test_member(fleet: Fleet, item: Item) -> None:
    wanted, nodes = fleet.want(item), fleet.answer(item.host, "docker")["nodes"]
    name = item.name.removeprefix("member ")
    identity = swarm(fleet, name)["NodeID"]
    node = next((node for node in nodes if node["ID"] == identity), None)
    assert node, f"{item.host}: {name} is not a node of this swarm"
    spec = node["Spec"]
    found = {"role": spec["Role"], "availability": spec["Availability"], "labels": spec.get("Labels") or {}}
    compare(item, found, wanted)
    state = node["Status"]["State"]
    assert state == "ready", f"{item.host}: node {name} is {state}"


@pytest.mark.planned("swarm_cluster", prefix="cluster")
def test_cluster(fleet: Fleet, item: Item) -> None:
    spec = swarm(fleet, item.host)["Cluster"]["Spec"]
    compare(item, {"heartbeat_seconds": spec["Dispatcher"]["HeartbeatPeriod"] / 10**9}, fleet.want(item))


@pytest.mark.planned("swarm_cluster", prefix="network ")
def test_no_other_node(fleet: Fleet, item: Item) -> None:
    mine = {i for i in fleet.wanted if i.kind == item.kind and i.name.startswith("member ")}
    planned = {i.name.removeprefix("member ") for i in mine}
    ids = {swarm(fleet, name)["NodeID"] for name in planned}
    nodes = fleet.answer(item.host, "docker")["nodes"]
    others = [node["Description"]["Hostname"] for node in nodes if node["ID"] not in ids]
    assert not others, f"{item.host}: nodes that are not planned: {', '.join(others)}"


@pytest.mark.planned("service", prefix="service ")
def test_service(fleet: Fleet, item: Item) -> None:
    wanted, answer = fleet.want(item), fleet.answer(item.host, "docker")
    name = item.name.removeprefix("service ")
    service = _service(answer, name)
    assert service, f"{item.host}: service {name} is not in the swarm"
    elsewhere = {"update": "settled", "tasks": "all run"}  # checked below, and by test_tasks
    compare(item, _properties(service["Spec"]) | elsewhere, wanted)
    image = service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    digest = fleet.env.digests.get(name, "not in the registry")
    assert image.endswith(f"@{digest}"), f"{item.host}: service {name} runs {image}, the registry has {digest}"
    update = (service.get("UpdateStatus") or {}).get("State", "completed")
    assert update == "completed", f"{item.host}: the last update of {name} is {update}"


@pytest.mark.planned("service", prefix="service ")
def test_tasks(fleet: Fleet, item: Item) -> None:
    wanted, answer = fleet.want(item), fleet.answer(item.host, "docker")
    name = item.name.removeprefix("service ")
    service = _service(answer, name)
    assert service, f"{item.host}: service {name} is not in the swarm"
    tasks = [task for task in answer["tasks"] if task["ServiceID"] == service["ID"]]
    running = [task for task in tasks if task["Status"]["State"] == "running"]
    count = len(fleet.env.group("edge")) if wanted["replicas"] is None else wanted["replicas"]
    states = [f"{task['Status']['State']}: {task['Status'].get('Err', '')}" for task in tasks if task not in running]
    assert len(running) == count, f"{item.host}: {len(running)} tasks of {name} run, planned is {count}; {states}"
    image = service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    older = [task["ID"][:12] for task in running if task["Spec"]["ContainerSpec"]["Image"] != image]
    assert not older, f"{item.host}: tasks of {name} run another image: {', '.join(older)}"


def went_back(fleet: Fleet, item: Item) -> str:
    """The configuration of a release that a service went back to, which the swarm alone has; empty for any other."""
    name = item.name.removeprefix("config ")
    if name not in fleet.env.catalogue.services:
        return ""
    now = released(fleet.env, name)
    return now.config if now.pinned else ""


@pytest.mark.planned("service", prefix="config ")
def test_docker_config(fleet: Fleet, item: Item) -> None:
    answer, held = fleet.answer(item.host, "docker"), went_back(fleet, item)
    if held:  # which an earlier version made a secret
        there = held in (*answer["configs"], *answer["secrets"])
    else:
        there = fleet.want(item)["name"].removeprefix("config ") in answer["configs"]
    assert there, f"{item.host}: the Docker {held or fleet.want(item)['name']} is missing"


@pytest.mark.planned("service", prefix="secret ")
def test_docker_secret(fleet: Fleet, item: Item) -> None:
    name = fleet.want(item)["name"].removeprefix("secret ")
    there = name in fleet.answer(item.host, "docker")["secrets"]
    assert there, f"{item.host}: the Docker secret {name} is missing"


@pytest.mark.planned("kept")
def test_place_of_what_the_environment_keeps(fleet: Fleet, item: Item) -> None:
    there = item.name in fleet.answer(item.host, "docker")["configs"]
    assert there, f"{item.host}: the Docker config {item.name} is missing"


@pytest.mark.planned("swarm_cluster", prefix="network ")
def test_no_other_service_and_no_open_port(fleet: Fleet, item: Item) -> None:
    services = fleet.answer(item.host, "docker")["services"]
    names = {service["Spec"]["Name"].removeprefix(f"{STACK}_") for service in services}
    planned = {i.name.removeprefix("service ") for i in fleet.wanted if i.kind == "service"}
    assert names <= planned, f"{item.host}: services that are not planned: {', '.join(sorted(names - planned))}"
    ports = [s["Spec"]["Name"] for s in services if s["Spec"].get("EndpointSpec", {}).get("Ports")]
    assert ports in ([], [f"{STACK}_router"]), f"{item.host}: services that publish a port: {', '.join(ports)}"


@pytest.mark.planned("image")
def test_image(fleet: Fleet, item: Item) -> None:
    wanted = fleet.want(item)
    release = fleet.web(item.host, f"release of {item.name}")
    content = fleet.web(item.host, f"content of {item.name}")
    what = f"{repository(fleet.env, item.name.removeprefix('image '))}:{fleet.env.setting.release}"
    assert release["status"] == 200, f"{item.host}: the registry answers {release['status']} for {what}"
    assert content["status"] == 200, f"{item.host}: {what} is not what is planned ({wanted['content']})"
    digests = [answer["headers"]["docker-content-digest"] for answer in (release, content)]
    assert digests[0] == digests[1], f"{item.host}: {what} is {digests[0]}, planned is {digests[1]}"


def _service(answer: dict[str, Any], name: str) -> dict[str, Any] | None:
    return next((s for s in answer["services"] if s["Spec"]["Name"] == f"{STACK}_{name}"), None)


def _properties(spec: dict[str, Any]) -> dict[str, Any]:
    """The properties that the plan names, of a service as the swarm has it."""
    template = spec["TaskTemplate"]
    container = template["ContainerSpec"]
    limits = template.get("Resources", {}).get("Limits", {})
    return {
        "hash": spec["Labels"].get("nexus.hash"),
        "image": container["Image"],
        "replicas": spec["Mode"]["Replicated"]["Replicas"] if "Replicated" in spec["Mode"] else None,
        "files": sorted(
            [f"{config['File']['Name']}: config {config['ConfigName']}" for config in container.get("Configs", [])]
            + [f"{secret['File']['Name']}: secret {secret['SecretName']}" for secret in container.get("Secrets", [])]
        ),
        "environment": sorted(container.get("Env", [])),
        "constraints": sorted(template.get("Placement", {}).get("Constraints", [])),
        "memory_limit_bytes": limits.get("MemoryBytes", 0),
        "command": [*container.get("Command", []), *container.get("Args", [])],
        "published": sorted(port["PublishedPort"] for port in spec.get("EndpointSpec", {}).get("Ports", [])),
        "networks": len(template.get("Networks", [])),
        "mounts": sorted(f"{mount['Source']}:{mount['Target']}" for mount in container.get("Mounts", [])),
        "user": container.get("User", ""),
        "capabilities": sorted(container.get("CapabilityAdd", [])),
        "healthcheck": container.get("Healthcheck", {}).get("Test", []),
        "restart": template["RestartPolicy"]["Condition"],
        "after a failed update": spec["UpdateConfig"]["FailureAction"],
    }
