"""Mistakes in rendered objects of Kubernetes, drawn from a seed: what a person, a merge or a bad template does to them.

`draw(objects, seed, number)` always makes the same mistake. Classes take turns, so that each has its share.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
Make = Callable[[random.Random, list[Object]], str]


@dataclass(frozen=True)
class Mutation:
    """One mistake: its class, what was changed, and all objects after it."""

    number: int
    kind: str
    what: str
    objects: list[Object]

    def __str__(self) -> str:
        return f"mutation {self.number}: {self.kind}: {self.what}"


def draw(objects: Sequence[Object], seed: int, number: int) -> Mutation:
    """The mistake of this number."""
    kinds = sorted(MAKERS)
    kind = kinds[number % len(kinds)]
    rng = random.Random(f"{seed} {number}")
    changed = copy.deepcopy(list(objects))
    return Mutation(number, kind, MAKERS[kind](rng, changed), changed)


def _pick(rng: random.Random, objects: list[Object], kind: str) -> Object:
    return rng.choice([each for each in objects if each["kind"] == kind])


def _label(found: Object) -> str:
    return f"{found['kind']} {found['metadata']['name']}"


def _spec(found: Object) -> Object:
    pod: Object = found["spec"]["template"]["spec"]
    return pod


def _container(found: Object) -> Object:
    first: Object = _spec(found)["containers"][0]
    return first


def _typo(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text))
    return text[:at] + rng.choice("abcdefghij".replace(text[at].lower(), "")) + text[at + 1 :]


def at(kind: str, change: Callable[[random.Random, Object], object]) -> Make:
    """A mistake in one object of this kind."""

    def make(rng: random.Random, objects: list[Object]) -> str:
        found = _pick(rng, objects, kind)
        return f"{_label(found)}: {change(rng, found)}"

    return make


def _set(place: Object, name: str, value: object) -> str:
    place[name] = value
    return f"{name} is {value!r}"


def _duplicate(rng: random.Random, objects: list[Object]) -> str:
    found = copy.deepcopy(rng.choice(objects))
    objects.append(found)
    return f"{_label(found)} twice"


def _remove(kind: str) -> Make:
    def make(rng: random.Random, objects: list[Object]) -> str:
        found = _pick(rng, objects, kind)
        objects.remove(found)
        return f"{_label(found)} is missing"

    return make


def _foreign(kind: str, read: Callable[[Object], Object], name: str) -> Make:
    """A value copied from another object of the same kind, as copy and paste does."""

    def make(rng: random.Random, objects: list[Object]) -> str:
        found = _pick(rng, objects, kind)
        mine = read(found).get(name)
        others = [read(each)[name] for each in objects if each["kind"] == kind and read(each).get(name) != mine]
        return f"{_label(found)}: {_set(read(found), name, copy.deepcopy(rng.choice(others)))}"

    return make


def _mappings(value: Any) -> Iterator[Object]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _mappings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _mappings(inner)


def _misspelt(rng: random.Random, objects: list[Object]) -> str:
    """Any field of any object, below its spec, under a name with one wrong letter."""
    found = rng.choice([each for each in objects if each["kind"] not in ("ConfigMap", "Namespace", "ServiceAccount")])
    free = ("labels", "annotations", "matchLabels", "requests", "limits")  # any name is valid there
    closed = [each for each in _mappings(found["spec"]) if each and not any(_is(found, each, name) for name in free)]
    where = rng.choice(closed)
    name = rng.choice(sorted(where))
    where[wrong := _typo(rng, name)] = where.pop(name)
    return f"{_label(found)}: {name} is spelt {wrong}"


def _is(found: Object, inner: Object, name: str) -> bool:
    return any(each.get(name) is inner for each in _mappings(found))


def _nested_wrong(rng: random.Random, found: Object) -> str:
    found["spec"]["containers"] = _spec(found).pop("containers")
    return "containers are one level too high"


def _wrong_type(rng: random.Random, found: Object) -> str:
    port = rng.choice(_container(found)["ports"])
    return _set(port, "containerPort", str(port["containerPort"]))


def _cut_peer(side: str, peers: str) -> Make:
    def make(rng: random.Random, objects: list[Object]) -> str:
        found = rng.choice(
            [
                each
                for each in objects
                if each["kind"] == "NetworkPolicy"
                and any(rule.get(peers) for rule in each["spec"].get(side, ()))
                and each["metadata"]["name"] != "deny"
            ]
        )
        rule = rng.choice([rule for rule in found["spec"][side] if rule.get(peers)])
        rule[peers].remove(gone := rng.choice(rule[peers]))
        if not rule[peers]:
            found["spec"][side].remove(rule)
        return f"{_label(found)}: {side} without {gone}"

    return make


def _policy_port(rng: random.Random, objects: list[Object]) -> str:
    rules = [
        (each, rule)
        for each in objects
        if each["kind"] == "NetworkPolicy"
        for side in ("ingress", "egress")
        for rule in each["spec"].get(side, ())
    ]
    found, rule = rng.choice(rules)
    return f"{_label(found)}: {_set(rng.choice(rule['ports']), 'port', rng.randrange(1024, 2999))}"


def _open_policy(rng: random.Random, objects: list[Object]) -> str:
    found = rng.choice([each for each in objects if each["kind"] == "NetworkPolicy" and each["spec"].get("ingress")])
    found["spec"]["ingress"].append({})
    return f"{_label(found)}: an ingress rule for everyone"


def _backend(rng: random.Random, found: Object) -> Object:
    backend: Object = rng.choice(found["spec"]["rules"])["backendRefs"][0]
    return backend


def _another_backend(rng: random.Random, objects: list[Object]) -> str:
    found = _pick(rng, objects, "HTTPRoute")
    backend = _backend(rng, found)
    others = [each["metadata"]["name"] for each in objects if each["kind"] == "Service"]
    return f"{_label(found)}: {_set(backend, 'name', rng.choice([name for name in others if name != backend['name']]))}"


def _single_budget(rng: random.Random, objects: list[Object]) -> str:
    found = _pick(rng, objects, "PodDisruptionBudget")
    name, place = found["metadata"]["name"], found["metadata"]["namespace"]
    for each in objects:
        if each["kind"] == "HorizontalPodAutoscaler" and (each["metadata"]["name"], place) == (
            name,
            each["metadata"]["namespace"],
        ):
            each["spec"]["minReplicas"] = 1
    return f"{_label(found)}: of one replica"


def _move(rng: random.Random, found: Object) -> str:
    other = {"nexus-auth": "nexus-ai"}.get(found["metadata"]["namespace"], "nexus-auth")
    return _set(found["metadata"], "namespace", other)


def _secret_in_config(rng: random.Random, found: Object) -> str:
    line = rng.choice(("DATABASE_URL=postgresql://a:hunter2@db:5432/x", "JWT_SECRET=hunter2", "DB_PASSWORD=hunter2"))
    found["data"]["config"] += f"{line}\n"
    return f"holds {line}"


def _config_line(rng: random.Random, found: Object) -> str:
    name = rng.choice(("PORT", "SERVICE_NAME"))
    lines = found["data"]["config"].splitlines()
    found["data"]["config"] = "".join(f"{name}=9\n" if line.startswith(f"{name}=") else f"{line}\n" for line in lines)
    return f"{name}=9"


def _missing_key(rng: random.Random, objects: list[Object]) -> str:
    found = _pick(rng, objects, "Deployment")
    config = next(
        part["configMap"]["name"] for part in _spec(found)["volumes"][0]["projected"]["sources"] if "configMap" in part
    )
    _container(found)["env"] = [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": config, "key": "no-key"}}}]
    return f"{_label(found)}: reads a key that {config} lacks"


def _source(kind: str) -> Callable[[random.Random, Object], str]:
    def change(rng: random.Random, found: Object) -> str:
        parts = _spec(found)["volumes"][0]["projected"]["sources"]
        reference = next(part[kind] for part in parts if kind in part)
        return _set(reference, "name", _typo(rng, reference["name"]))

    return change


def _probe(rng: random.Random, found: Object) -> Object:
    asked: Object = _container(found)[rng.choice(("startupProbe", "livenessProbe", "readinessProbe"))]["httpGet"]
    return asked


def _rolling(found: Object) -> Object:
    rolling: Object = found["spec"]["strategy"]["rollingUpdate"]
    return rolling


def _labels(found: Object) -> Object:
    labels: Object = found["spec"]["template"]["metadata"]["labels"]
    return labels


NAME, VERSION = "app.kubernetes.io/name", "app.kubernetes.io/version"
MAKERS: dict[str, Make] = {
    "selector with a typing mistake": at(
        "Deployment", lambda rng, x: _set(x["spec"]["selector"]["matchLabels"], NAME, _typo(rng, x["metadata"]["name"]))
    ),
    "selector with the version": at(
        "Deployment", lambda _, x: _set(x["spec"]["selector"]["matchLabels"], VERSION, _labels(x)[VERSION])
    ),
    "pods without their name": at("Deployment", lambda _, x: _labels(x).pop(NAME)),
    "Service selects nothing": at(
        "Service", lambda rng, x: _set(x["spec"]["selector"], NAME, _typo(rng, x["metadata"]["name"]))
    ),
    "Service selects another": _foreign("Service", lambda x: x["spec"], "selector"),
    "Service to a missing port": at("Service", lambda _, x: _set(x["spec"]["ports"][0], "targetPort", "web")),
    "Service at another port": at(
        "Service", lambda rng, x: _set(x["spec"]["ports"][0], "port", rng.randrange(8000, 9000))
    ),
    "long port name": at("Service", lambda _, x: _set(x["spec"]["ports"][0], "name", "the-public-http-port")),
    "Service opened on nodes": at("Service", lambda _, x: _set(x["spec"], "type", "NodePort")),
    "probe of a missing port": at("Deployment", lambda rng, x: _set(_probe(rng, x), "port", rng.choice(("web", 8080)))),
    "probe of a missing path": at("Deployment", lambda rng, x: _set(_probe(rng, x), "path", "/readyz")),
    "no probe": at(
        "Deployment", lambda rng, x: str(_container(x).pop(rng.choice(("livenessProbe", "readinessProbe"))))
    ),
    "missing ConfigMap": at("Deployment", _source("configMap")),
    "missing Secret": at("Deployment", _source("secret")),
    "missing key": _missing_key,
    "missing ServiceAccount": at("Deployment", lambda rng, x: _set(_spec(x), "serviceAccountName", "default-account")),
    "removed ConfigMap": _remove("ConfigMap"),
    "removed ServiceAccount": _remove("ServiceAccount"),
    "removed Deployment": _remove("Deployment"),
    "removed Service": _remove("Service"),
    "removed policy": _remove("NetworkPolicy"),
    "removed budget": _remove("PodDisruptionBudget"),
    "removed namespace": _remove("Namespace"),
    "autoscaler of nothing": at(
        "HorizontalPodAutoscaler",
        lambda rng, x: _set(x["spec"]["scaleTargetRef"], "name", _typo(rng, x["metadata"]["name"])),
    ),
    "autoscaler of a StatefulSet": at(
        "HorizontalPodAutoscaler", lambda _, x: _set(x["spec"]["scaleTargetRef"], "kind", "StatefulSet")
    ),
    "bounds the wrong way round": at(
        "HorizontalPodAutoscaler", lambda _, x: _set(x["spec"], "minReplicas", x["spec"]["maxReplicas"] + 1)
    ),
    "replicas and autoscaler": at("Deployment", lambda rng, x: _set(x["spec"], "replicas", rng.randrange(1, 5))),
    "request above limit": at("Deployment", lambda _, x: _set(_container(x)["resources"]["limits"], "memory", "100Mi")),
    "memory in thousandths": at(
        "Deployment", lambda _, x: _set(_container(x)["resources"]["requests"], "memory", "512m")
    ),
    "cores for millicores": at("Deployment", lambda _, x: _set(_container(x)["resources"]["requests"], "cpu", "500")),
    "no memory limit": at("Deployment", lambda _, x: str(_container(x)["resources"]["limits"].pop("memory"))),
    "object twice": _duplicate,
    "name in capitals": at("ConfigMap", lambda _, x: _set(x["metadata"], "name", x["metadata"]["name"].upper())),
    "name with an underscore": at(
        "Service", lambda _, x: _set(x["metadata"], "name", x["metadata"]["name"].replace("-", "_") + "_")
    ),
    "namespace with a typing mistake": at(
        "Deployment", lambda rng, x: _set(x["metadata"], "namespace", _typo(rng, x["metadata"]["namespace"]))
    ),
    "other namespace": at("Deployment", _move),
    "route to nothing": at(
        "HTTPRoute", lambda rng, x: _set(backend := _backend(rng, x), "name", _typo(rng, backend["name"]))
    ),
    "route to another": _another_backend,
    "route to another port": at("HTTPRoute", lambda rng, x: _set(_backend(rng, x), "port", 80)),
    "route without a Gateway": at("HTTPRoute", lambda _, x: _set(x["spec"]["parentRefs"][0], "name", "gateway")),
    "route of an unknown host": at("HTTPRoute", lambda _, x: _set(x["spec"], "hostnames", ["api.example.org"])),
    "path with a typing mistake": at(
        "HTTPRoute", lambda rng, x: _set(rng.choice(x["spec"]["rules"])["matches"][0]["path"], "value", "/ap/x")
    ),
    "removed route": _remove("HTTPRoute"),
    "tag for a digest": at(
        "Deployment", lambda _, x: _set(_container(x), "image", _container(x)["image"].partition("@")[0])
    ),
    "latest": at("Deployment", lambda _, x: _set(_container(x), "image", f"nexus-cos/{x['metadata']['name']}:latest")),
    "image of another service": _foreign("Deployment", _container, "image"),
    "ports of another service": _foreign("Deployment", _container, "ports"),
    "volumes of another service": _foreign("Deployment", _spec, "volumes"),
    "selector of another service": _foreign("Deployment", lambda x: x["spec"], "selector"),
    "cut way in": _cut_peer("ingress", "from"),
    "cut way out": _cut_peer("egress", "to"),
    "policy with another port": _policy_port,
    "policy for everyone": _open_policy,
    "policy of other pods": _foreign("NetworkPolicy", lambda x: x["spec"], "podSelector"),
    "budget that blocks drains": at("PodDisruptionBudget", lambda _, x: _set(x["spec"], "maxUnavailable", 0)),
    "budget of one replica": _single_budget,
    "budget of other pods": _foreign("PodDisruptionBudget", lambda x: x["spec"], "selector"),
    "token mounted": at("Deployment", lambda _, x: _set(_spec(x), "automountServiceAccountToken", True)),
    "privileged": at("Deployment", lambda _, x: _set(_container(x)["securityContext"], "privileged", True)),
    "root": at("Deployment", lambda _, x: str(_spec(x)["securityContext"].pop("runAsNonRoot"))),
    "rollout that cannot move": at("Deployment", lambda _, x: _set(_rolling(x), "maxSurge", 0)),
    "rollout with a gap": at("Deployment", lambda _, x: _set(_rolling(x), "maxUnavailable", "100%")),
    "killed before asked": at("Deployment", lambda _, x: _set(_spec(x), "terminationGracePeriodSeconds", 1)),
    "secret in a ConfigMap": at("ConfigMap", _secret_in_config),
    "wrong configuration": at("ConfigMap", _config_line),
    "mutable ConfigMap": at("ConfigMap", lambda _, x: str(x.pop("immutable"))),
    "mount of a missing volume": at(
        "Deployment", lambda _, x: _set(_container(x)["volumeMounts"][0], "name", "config")
    ),
    "lost label": at("Deployment", lambda _, x: str(x["metadata"]["labels"].pop("app.kubernetes.io/managed-by"))),
    "old API": at("PodDisruptionBudget", lambda _, x: _set(x, "apiVersion", "policy/v1beta1")),
    "containers one level too high": at("Deployment", _nested_wrong),
    "text for a number": at("Deployment", _wrong_type),
    "misspelt field": _misspelt,
    "misspelt field again": _misspelt,
}
