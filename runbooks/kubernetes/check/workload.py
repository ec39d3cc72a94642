"""Pods: labels, images, requests, probes, files, rights and their end."""

import re
from collections.abc import Iterator

from nexus.catalogue import quantity
from runbooks.kubernetes.check.expected import Expected
from runbooks.kubernetes.check.index import Index, containers, has, place
from runbooks.kubernetes.item import COMPONENT, NAME, SERVER, Object, key, shown

STABLE = {NAME, COMPONENT}  # the only labels of a selector: it can never change
DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
TAG = re.compile(r".+/[^/:]+:(?!latest$)[A-Za-z0-9_.-]+")
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
READ = {"cpu": quantity.millicores, "memory": quantity.memory_bytes}
HEAP = re.compile(r"--max-old-space-size=(\d+)")


def check(index: Index, wanted: Expected) -> Iterator[str]:
    """Findings on everything that starts pods."""
    for found, template in index.templates():
        about = shown(found)
        if found["kind"] == "Deployment":
            yield from (f"{about}: {text}" for text in _deployment(found, template))
        yield from (f"{about}: {text}" for text in _pod(template))
        yield from (f"{about}: {text}" for text in _files(index, place(found), template, wanted))
        for each in containers(template):
            yield from (f"{about}: {text}" for text in _container(each, wanted))
        if template["metadata"]["labels"].get(COMPONENT) == SERVER:
            yield from (f"{about}: {text}" for text in _server(index, found, template, wanted))


def _deployment(found: Object, template: Object) -> Iterator[str]:
    spec = found["spec"]
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    if not labels or not has(template, labels):
        yield "its selector does not match the labels of its pods, so the API server refuses it"
    if extra := sorted(set(labels) - STABLE):
        yield f"its selector uses {', '.join(extra)}; a selector is immutable, so the next release could not be applied"
    if labels.get(NAME) != key(found)[2]:
        yield "its selector names another service, whose pods it would take over"
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    if (spec.get("strategy") or {}).get("type") != "RollingUpdate" or rolling.get("maxUnavailable") != 0:
        yield "a rollout may take away pods that serve before new ones are ready"
    if rolling.get("maxSurge") in (0, None, "0%"):
        yield "a rollout may neither add nor remove a pod: it would never move"
    if spec.get("minReadySeconds", 0) >= spec.get("progressDeadlineSeconds", 600):
        yield "minReadySeconds is not below progressDeadlineSeconds: no rollout can succeed"
    if not spec.get("revisionHistoryLimit", 10):
        yield "keeps no earlier ReplicaSet, so nothing can be rolled back"


def _pod(template: Object) -> Iterator[str]:
    spec = template["spec"]
    if spec.get("automountServiceAccountToken") is not False:
        yield "its pods get a token of the API server; set automountServiceAccountToken: false"
    if (spec.get("securityContext") or {}).get("runAsNonRoot") is not True:
        yield "its pods may run as root, which the namespace forbids"
    if (spec.get("securityContext") or {}).get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "its pods have no seccomp profile, which the namespace demands"
    if spec.get("hostNetwork") or spec.get("hostPID") or spec.get("hostIPC"):
        yield "its pods share the node's network or processes, which the namespace forbids"
    names = [each.get("name") for each in containers(template)]
    if len(names) != len(set(names)):
        yield "two containers have the same name"


def _container(found: Object, wanted: Expected) -> Iterator[str]:
    image = str(found.get("image", ""))
    if not (DIGEST.fullmatch(image) or (wanted.tags and TAG.fullmatch(image))):
        yield f"the image {image!r} is not fixed by its digest, so two pods may run different code"
    rights = found.get("securityContext") or {}
    if rights.get("allowPrivilegeEscalation") is not False or rights.get("privileged"):
        yield "its container may gain privileges, which the namespace forbids"
    if "ALL" not in (rights.get("capabilities") or {}).get("drop", ()) or (rights.get("capabilities") or {}).get("add"):
        yield "its container keeps capabilities, which the namespace forbids"
    if rights.get("runAsUser") == 0:
        yield "its container runs as root"
    yield from _resources(found.get("resources") or {})


def _resources(found: Object) -> Iterator[str]:
    requests, limits = found.get("requests") or {}, found.get("limits") or {}
    if "memory" not in requests or "memory" not in limits:
        yield "memory has no request or no limit: one leak would take the node's memory"
    for name, read in READ.items():
        values = {}
        for side, amounts in (("request", requests), ("limit", limits)):
            if name in amounts:
                try:
                    values[side] = read(str(amounts[name]))
                except ValueError as error:
                    yield f"its {side} of {name} is {amounts[name]!r}: {error}"
        if len(values) == 2 and values["request"] > values["limit"]:
            yield f"its request of {name} is above its limit, so the API server refuses it"
        for side, value in values.items():
            if name == "memory" and value < 32 * 2**20:
                yield f"its {side} of memory is {value} bytes, with which nothing starts"
            if name == "cpu" and value > 64_000:
                yield f"its {side} of CPU is {value / 1000:g} cores, which no node has"
    for name in set(requests) & set(limits) - set(READ):
        if str(requests[name]) != str(limits[name]):
            yield f"request and limit of {name} differ, so the API server refuses it"


def _server(index: Index, found: Object, template: Object, wanted: Expected) -> Iterator[str]:
    service = wanted.services.get(key(found)[2])
    if service is None:
        yield "there is no service of that name in the catalogue"
        return
    if f"/{service.name}:" not in str(containers(template)[0].get("image")):
        yield "runs the image of another service"
    if template["metadata"]["labels"].get(NAME) != service.name:
        yield "its pods have the label of another service"
    spec, container = template["spec"], containers(template)[0]
    ports = {each.get("name"): each["containerPort"] for each in container.get("ports", ())}
    if service.port not in ports.values():
        yield f"no port of its container is {service.port}, the port of the catalogue"
    for name in PROBES:
        yield from _probe(name, container.get(name), ports, service.probe_paths)
    delay = int((container.get("lifecycle") or {}).get("preStop", {}).get("exec", {}).get("command", ["", "0"])[-1])
    if not delay:
        yield "it stops at once, while other nodes still send requests; it needs a preStop delay"
    if spec.get("terminationGracePeriodSeconds", 30) <= delay:
        yield "its pods are killed before they are asked to stop: raise terminationGracePeriodSeconds"
    if not spec.get("topologySpreadConstraints"):
        yield "nothing spreads its pods, so one node may hold all of them"
    for each in spec.get("topologySpreadConstraints", ()):
        if not has(template, each["labelSelector"]["matchLabels"]):
            yield "the spread counts pods of others, not its own"
    yield from _configuration(index, place(found), template, service.port)


def _probe(name: str, probe: Object | None, ports: dict[str, int], paths: frozenset[str]) -> Iterator[str]:
    if not probe:
        yield f"has no {name}"
        return
    asked = probe.get("httpGet") or {}
    if asked.get("port") not in {*ports, *ports.values()}:
        yield f"its {name} asks port {asked.get('port')!r}, which its container does not have"
    if asked.get("path") not in paths:
        yield f"its {name} asks {asked.get('path')!r}; its image answers {', '.join(sorted(paths))}"
    if probe.get("timeoutSeconds", 1) > probe.get("periodSeconds", 10):
        yield f"its {name} may wait longer than the time to the next one"


def _configuration(index: Index, namespace: str, template: Object, port: int) -> Iterator[str]:
    """The text that the service reads, compared with what the pod gives it."""
    for name in _sources(template, "configMap"):
        text = ((index.get("ConfigMap", namespace, name) or {}).get("data") or {}).get("config", "")
        values = dict(line.partition("=")[::2] for line in text.splitlines())
        if values.get("PORT") != str(port):
            yield f"its configuration {name} has PORT={values.get('PORT')}, and the catalogue says {port}"
        if values.get("SERVICE_NAME") != template["metadata"]["labels"].get(NAME):
            yield f"its configuration {name} is that of {values.get('SERVICE_NAME')}"
        heap = HEAP.search(values.get("NODE_OPTIONS", ""))
        limit = str(containers(template)[0].get("resources", {}).get("limits", {}).get("memory", ""))
        if heap and re.fullmatch(r"\d+[KMGT]?i?", limit) and int(heap[1]) << 20 >= quantity.memory_bytes(limit):
            yield f"the heap of {heap[1]} MiB does not fit into the memory limit {limit}"


def _sources(template: Object, kind: str) -> list[str]:
    """Names of the ConfigMaps or Secrets that the pod mounts together."""
    volumes = template["spec"].get("volumes", ())
    parts = [part for volume in volumes for part in (volume.get("projected") or {}).get("sources", ())]
    return [part[kind]["name"] for part in parts if kind in part]


def _files(index: Index, namespace: str, template: Object, wanted: Expected) -> Iterator[str]:
    volumes = {volume["name"] for volume in template["spec"].get("volumes", ())}
    for each in containers(template):
        mounted = {mount["name"] for mount in each.get("volumeMounts", ())}
        for name in sorted(mounted - volumes):
            yield f"its container mounts the volume {name!r}, which the pod does not have"
        if unused := volumes - mounted:
            yield f"the volume {', '.join(sorted(unused))} is mounted nowhere, so the service starts without it"
    configs, secrets = _sources(template, "configMap"), _sources(template, "secret")
    if not configs or not secrets:
        yield "its pods lack their configuration or their credentials"
    for name in configs:
        if not index.get("ConfigMap", namespace, name):
            yield f"the ConfigMap {name} does not exist in {namespace}: its pods never start"
    pulls = [each["name"] for each in template["spec"].get("imagePullSecrets", ())]
    for name in (*secrets, *pulls):
        if not index.has_secret(namespace, name) and (namespace, name) not in wanted.outside_secrets:
            yield f"the Secret {name} does not exist in {namespace}: its pods never start"
    account = template["spec"].get("serviceAccountName")
    if not index.get("ServiceAccount", namespace, str(account)):
        yield f"the ServiceAccount {account} does not exist in {namespace}: no pod is made"
    for each in containers(template):
        yield from _variables(index, namespace, each, wanted)


def _variables(index: Index, namespace: str, container: Object, wanted: Expected) -> Iterator[str]:
    """Environment variables that come from keys of ConfigMaps and Secrets."""
    names = [each["name"] for each in container.get("env", ())]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"the variable {name} is set twice"
    for each in container.get("env", ()):
        source = each.get("valueFrom") or {}
        if reference := source.get("configMapKeyRef"):
            data = (index.get("ConfigMap", namespace, reference["name"]) or {}).get("data") or {}
            if reference["key"] not in data:
                yield f"{each['name']} reads the key {reference['key']!r}, which {reference['name']} does not have"
        if reference := source.get("secretKeyRef"):
            secret = index.get("Secret", namespace, reference["name"])
            if not secret and (namespace, reference["name"]) not in wanted.outside_secrets:
                yield f"{each['name']} reads the Secret {reference['name']}, which does not exist"
            elif secret and reference["key"] not in (secret.get("data") or {}):
                yield f"{each['name']} reads the key {reference['key']!r}, which {reference['name']} does not have"
