"""Names, labels and namespaces of every object, and what a ConfigMap may not hold."""

import re
from collections import Counter
from collections.abc import Iterator

from runbooks.kubernetes.check.expected import Expected
from runbooks.kubernetes.check.index import Index, place
from runbooks.kubernetes.item import ENVIRONMENT, NAME, OURS, key, shown

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
SHORT_NAMES = ("Namespace", "Service", "Deployment", "Job", "HTTPRoute", "HorizontalPodAutoscaler")
SECRET = re.compile(
    r"://[^/\s:@]+:[^/\s@]+@|(^|\n)[A-Z0-9_]*(PASSWORD|SECRET|PRIVATE_KEY|ACCESS_KEY)[A-Z0-9_]*=|BEGIN [A-Z ]*PRIVATE"
)
CLUSTER_WIDE = ("Namespace",)


def check(index: Index, wanted: Expected) -> Iterator[str]:
    """Findings on every object, and on services that have none."""
    declared = {key(each)[2] for each in index.of("Namespace")}
    for found, count in Counter(key(each) for each in index.objects).items():
        if count > 1:
            yield f"{found[0]} {found[1]}/{found[2]}: is rendered {count} times, and the last one would win"
    environments = {each["metadata"]["labels"].get(ENVIRONMENT) for each in index.objects}
    if len(environments) > 1:
        yield f"objects belong to several environments: {', '.join(sorted(map(str, environments)))}"
    for each in index.objects:
        kind, namespace, name = key(each)
        pattern = LABEL if kind in SHORT_NAMES else SUBDOMAIN
        if not pattern.fullmatch(name):
            yield f"{shown(each)}: {name!r} is not a DNS name (RFC 1123), so the API server refuses it"
        if kind in CLUSTER_WIDE:
            if namespace:
                yield f"{shown(each)}: a {kind} is in no namespace"
        elif namespace not in declared:
            yield f"{shown(each)}: the namespace {namespace!r} is not declared"
        labels = each["metadata"].get("labels") or {}
        for name, value in OURS.items():
            if labels.get(name) != value:
                yield f"{shown(each)}: lacks the label {name}={value}, so it would never be pruned"
        for name, value in labels.items():
            if not VALUE.fullmatch(str(value)):
                yield f"{shown(each)}: {value!r} is not a valid value of the label {name}"
        service = labels.get(NAME)
        if service and service in wanted.services and namespace != wanted.services[service].namespace:
            yield f"{shown(each)}: {service} belongs into {wanted.services[service].namespace}"
    yield from _config_maps(index)
    for service, about in wanted.services.items():
        for kind in ("Deployment", "Service", "ServiceAccount"):
            if not index.get(kind, about.namespace, service):
                yield f"{service} has no {kind} in {about.namespace}"


def _config_maps(index: Index) -> Iterator[str]:
    for each in index.of("ConfigMap"):
        for name, text in (each.get("data") or {}).items():
            if SECRET.search(str(text)):
                yield f"{shown(each)}: {name} holds a secret, which anyone who reads ConfigMaps can see"
        if not each.get("immutable"):
            yield f"{shown(each)}: is not immutable, so a rollback would find the configuration of a later release"
        if not place(each):
            yield f"{shown(each)}: has no namespace"
