#!/usr/bin/env python3
"""Plays kubectl for tests: a cluster in one JSON file, which rolls out what it is given at once."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml

STATE = Path(os.environ["FAKE_CLUSTER"])
NAMES = {
    "serviceaccounts": "ServiceAccount",
    "services": "Service",
    "configmaps": "ConfigMap",
    "secrets": "Secret",
    "namespaces": "Namespace",
    "pods": "Pod",
    "networkpolicies.networking.k8s.io": "NetworkPolicy",
    "deployments.apps": "Deployment",
    "replicasets.apps": "ReplicaSet",
    "jobs.batch": "Job",
    "poddisruptionbudgets.policy": "PodDisruptionBudget",
    "horizontalpodautoscalers.autoscaling": "HorizontalPodAutoscaler",
    "httproutes.gateway.networking.k8s.io": "HTTPRoute",
    "gateways.gateway.networking.k8s.io": "Gateway",
}
Object = dict[str, Any]


def name_of(found: Object) -> str:
    return f"{found['kind']} {found['metadata'].get('namespace', '')} {found['metadata']['name']}"


def started(found: Object, before: Object | None) -> Object:
    """The object as the cluster keeps it: Deployments have a status, and their earlier template."""
    if found["kind"] != "Deployment":
        return found
    count = found["spec"].get("replicas") or (before or {}).get("spec", {}).get("replicas") or 1
    broken = os.environ.get("FAKE_BROKEN", "broken") in found["spec"]["template"]["spec"]["containers"][0]["image"]
    status: Object = {"updatedReplicas": count, "availableReplicas": count, "replicas": count}
    if broken:
        status = {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}
    earlier = (before or {}).get("spec", {}).get("template")
    kept = earlier if earlier != found["spec"]["template"] else (before or {}).get("earlier")
    return {**found, "spec": {**found["spec"], "replicas": count}, "status": status, "earlier": kept}


def same(old: Object | None, new: Object) -> bool:
    spec = {**(old or {}).get("spec", {}), **new.get("spec", {})} if new["kind"] == "Deployment" else new.get("spec")
    kept = ("metadata", "data", "type")
    return (
        bool(old) and (old or {}).get("spec") == spec and all((old or {}).get(part) == new.get(part) for part in kept)
    )


def main(words: list[str]) -> int:
    cluster: dict[str, Object] = json.loads(STATE.read_text()) if STATE.exists() else {}
    with STATE.with_suffix(".log").open("a") as log:
        log.write(" ".join(words) + "\n")
    if words[0] == "api-resources":
        print(*NAMES, sep="\n")
    elif words[0] == "get":
        kinds = [NAMES.get(name, name.capitalize()) for name in words[1].split(",")]
        print(json.dumps({"items": [each for each in cluster.values() if each["kind"] in kinds]}))
    elif words[0] in ("apply", "diff"):
        given = [each for each in yaml.load_all(sys.stdin, yaml.CSafeLoader) if each]
        if words[0] == "diff":
            changed = [each for each in given if not same(cluster.get(name_of(each)), each)]
            print(*(f"diff {name_of(each)}" for each in changed), sep="\n", end="\n" if changed else "")
            return 1 if changed else 0
        for each in given:
            cluster[name_of(each)] = started(each, cluster.get(name_of(each)))
    elif words[0] == "delete":
        kind = next(kind for kind in NAMES.values() if kind.lower() == words[1].partition(".")[0])
        cluster.pop(f"{kind} {words[words.index('-n') + 1]} {words[2]}", None)
    elif words[0] == "logs":
        print("last words of " + words[words.index("-l") + 1])
    elif words[:2] == ["rollout", "undo"]:
        found = cluster[f"Deployment {words[words.index('-n') + 1]} {words[2].partition('/')[2]}"]
        if not found["earlier"]:
            print("error: no rollout history found", file=sys.stderr)
            return 1
        found["spec"]["template"] = found["earlier"]
        cluster[name_of(found)] = started(found, None)
    else:
        raise SystemExit(f"fake kubectl: {words}")
    STATE.write_text(json.dumps(cluster))
    return 0


if __name__ == "__main__":
    sys.exit(main([word for word in sys.argv[1:] if not word.startswith("--context=")]))
