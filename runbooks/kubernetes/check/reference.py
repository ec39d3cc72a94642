"""Objects that name others: Services, autoscalers, disruption budgets and External Secrets."""

import re
from collections.abc import Iterator

from runbooks.kubernetes.check.expected import Expected
from runbooks.kubernetes.check.index import Index, containers, minimum, place
from runbooks.kubernetes.item import COMPONENT, SERVER, Object, key, selector, shown

PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?")  # a Service's; a container's may be no longer


def check(index: Index, wanted: Expected) -> Iterator[str]:
    """Findings on each kind that refers to others."""
    for each in index.of("Service"):
        yield from (f"{shown(each)}: {text}" for text in _service(index, each, wanted))
    for each in index.of("HorizontalPodAutoscaler"):
        yield from (f"{shown(each)}: {text}" for text in _autoscaler(index, each))
    for each in index.of("PodDisruptionBudget"):
        yield from (f"{shown(each)}: {text}" for text in _budget(index, each))
    for each in index.of("ExternalSecret"):
        if key(each)[2] != each["spec"]["target"]["name"]:
            yield f"{shown(each)}: makes the Secret {each['spec']['target']['name']!r}, which no pod mounts"
    for each in index.of("Deployment"):
        yield from (f"{shown(each)}: {text}" for text in _scaled(index, each, wanted))


def _service(index: Index, found: Object, wanted: Expected) -> Iterator[str]:
    spec, (_, namespace, name) = found["spec"], key(found)
    labels = spec.get("selector") or {}
    pods = index.selected(namespace, labels)
    if not pods:
        yield "selects no pod, so every request fails"
    if any(each["spec"]["template"]["metadata"]["labels"].get(COMPONENT) != SERVER for each in pods):
        yield "also selects pods of migrations, which answer no request"
    if len(pods) > 1 or labels.get(COMPONENT) != SERVER:
        yield "selects the pods of more than one workload"
    if pods and key(pods[0])[2] != name:
        yield f"selects the pods of {key(pods[0])[2]}"
    if spec.get("type", "ClusterIP") != "ClusterIP":
        yield f"is of type {spec['type']}, which opens a port past the edge"
    service = wanted.services.get(name)
    ports = spec.get("ports") or ()
    if service and service.port not in [port["port"] for port in ports]:
        yield f"does not have the port {service.port}, which others call"
    names = [port.get("name") for port in ports]
    for port in ports:
        if not PORT_NAME.fullmatch(str(port.get("name", ""))):
            yield f"the port name {port.get('name')!r} is not 1 to 15 small letters, digits and hyphens"
        if port.get("protocol", "TCP") != "TCP":
            yield f"port {port['port']} is {port['protocol']}, and services speak HTTP"
        if names.count(port.get("name")) > 1:
            yield f"two ports have the name {port.get('name')}"
        yield from _target(pods, port.get("targetPort", port["port"]))


def _target(pods: list[Object], target: int | str) -> Iterator[str]:
    for each in pods:
        ports = [port for found in containers(each["spec"]["template"]) for port in found.get("ports", ())]
        if target not in {port.get("name") for port in ports} | {port["containerPort"] for port in ports}:
            yield f"sends requests to the port {target!r}, which {shown(each)} does not have"


def _autoscaler(index: Index, found: Object) -> Iterator[str]:
    spec, target = found["spec"], found["spec"]["scaleTargetRef"]
    deployment = index.get(target["kind"], place(found), target["name"])
    if deployment is None or target.get("apiVersion") != deployment["apiVersion"]:
        yield f"scales {target['kind']} {target['name']}, which does not exist in {place(found)}"
        return
    if spec.get("minReplicas", 1) > spec["maxReplicas"]:
        yield f"minReplicas {spec['minReplicas']} is above maxReplicas {spec['maxReplicas']}"
    others = [
        each["spec"]["scaleTargetRef"] for each in index.of("HorizontalPodAutoscaler") if place(each) == place(found)
    ]
    if others.count(target) > 1:
        yield "another autoscaler scales the same Deployment, and they fight"
    requests = containers(deployment["spec"]["template"])[0].get("resources", {}).get("requests", {})
    metrics = spec.get("metrics") or ()
    if not metrics:
        yield "has no metric, so it scales on CPU at a default"
    for name in (metric["resource"]["name"] for metric in metrics if "resource" in metric):
        if name not in requests:
            yield f"scales on {name}, for which its pods have no request: it would never know the share"
    for metric in metrics:
        percent = metric.get("resource", {}).get("target", {}).get("averageUtilization", 0)
        if not 0 < percent <= 100:
            yield f"scales at {percent} percent, which is never or always reached"


def _scaled(index: Index, found: Object, wanted: Expected) -> Iterator[str]:
    """A Deployment and its number of pods: who decides it, and whether a budget protects them."""
    _, namespace, name = key(found)
    scalers = [
        each
        for each in index.of("HorizontalPodAutoscaler")
        if place(each) == namespace and each["spec"]["scaleTargetRef"].get("name") == name
    ]
    if scalers and "replicas" in found["spec"]:
        yield "has replicas and an autoscaler: every run would undo what that did"
    if not scalers and wanted.autoscaled:
        yield "has no autoscaler"
    if not scalers and "replicas" not in found["spec"]:
        yield "has neither replicas nor an autoscaler, so one pod runs"
    if found["spec"].get("replicas") == 0:
        yield "has no replica"
    budgets = [
        each
        for each in index.of("PodDisruptionBudget")
        if place(each) == namespace and found in index.selected(namespace, each["spec"]["selector"]["matchLabels"])
    ]
    if minimum(index, found) > 1 and not budgets:
        yield "has several replicas and no disruption budget, so a drain may take all of them"
    if len(budgets) > 1:
        yield "has two disruption budgets, with which no pod can be evicted"


def _budget(index: Index, found: Object) -> Iterator[str]:
    spec, (_, namespace, name) = found["spec"], key(found)
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    if labels != selector(name):
        yield "does not select the pods of its service alone"
    for each in index.selected(namespace, labels):
        least = minimum(index, each)
        if least < 2:
            yield "is for one replica, so no node with that pod can be drained"
        if spec.get("minAvailable") is not None or not spec.get("maxUnavailable"):
            kept = spec.get("minAvailable", least)
            if not isinstance(kept, int) or kept >= least:
                yield f"keeps all of {least} pods, so no node with one of them can be drained"
