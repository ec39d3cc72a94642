#!/usr/bin/env python3
"""Plays kubectl for tests: a cluster in one JSON file, which rolls out what it is given at once."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml

REVISION = "deployment.kubernetes.io/revision"
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


def started(found: Object, given: Object | None, least: int) -> Object:
    """The object as the cluster keeps it: Deployments have a status, and their earlier template.

    `least` is that of its autoscaler. Replicas that nobody owns any more go back to one.
    """
    if found["kind"] != "Deployment":
        return found
    before = given or {"spec": {}}
    if "template" not in found["spec"]:  # one field in the name of another owner
        return {**before, "spec": {**before["spec"], **found["spec"]}, "shared": True}
    ours, shared = "replicas" in found["spec"], before.get("shared", False)
    kept = before["spec"].get("replicas", 1) if shared or not before.get("ours") else 1
    if not ours and kept < before["spec"].get("replicas", 1):
        log(f"scaled down {name_of(found)}")
    count = max(found["spec"].get("replicas") or kept, least)
    broken = os.environ.get("FAKE_BROKEN", "broken") in found["spec"]["template"]["spec"]["containers"][0]["image"]
    reason = "ProgressDeadlineExceeded" if broken else "NewReplicaSetAvailable"
    counts = {} if broken else {"updatedReplicas": count, "availableReplicas": count, "replicas": count}
    status: Object = {**counts, "conditions": [{"type": "Progressing", "reason": reason}]}
    earlier, changed = before["spec"].get("template"), before["spec"].get("template") != found["spec"]["template"]
    earlier = earlier if changed else before.get("earlier")
    revision = int(before.get("metadata", {}).get("annotations", {}).get(REVISION, "0")) + changed
    metadata = {**found["metadata"], "annotations": {REVISION: str(revision)}}
    owners = {"ours": ours, "shared": shared or (not ours and count == least)}
    spec = {**found["spec"], "replicas": count}
    return {**found, "metadata": metadata, "spec": spec, "status": status, "earlier": earlier, **owners}


def scaler(cluster: dict[str, Object], found: Object) -> Object:
    """The autoscaler of a Deployment."""
    none: Object = {"spec": {"minReplicas": 0}}
    return cluster.get(f"HorizontalPodAutoscaler {name_of(found).partition(' ')[2]}", none)


def log(line: str) -> None:
    with STATE.with_suffix(".log").open("a") as stream:
        stream.write(f"{line}\n")


def same(old: Object | None, new: Object) -> bool:
    spec = {**(old or {}).get("spec", {}), **new.get("spec", {})} if new["kind"] == "Deployment" else new.get("spec")
    known = dict(old or {})
    if new["kind"] == "Deployment" and old:  # the cluster's own annotation
        known["metadata"] = {name: value for name, value in old["metadata"].items() if name != "annotations"}
    kept = ("metadata", "data", "type")
    return bool(old) and known.get("spec") == spec and all(known.get(part) == new.get(part) for part in kept)


def main(words: list[str]) -> int:
    cluster: dict[str, Object] = json.loads(STATE.read_text()) if STATE.exists() else {}
    log(" ".join(words))
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
        cluster |= {name_of(each): each for each in given if each["kind"] != "Deployment"}
        for each in given:
            cluster[name_of(each)] = started(
                each, cluster.get(name_of(each)), scaler(cluster, each)["spec"]["minReplicas"]
            )
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
        cluster[name_of(found)] = started(found, {**found, "spec": {}}, found["spec"]["replicas"])
    else:
        raise SystemExit(f"fake kubectl: {words}")
    STATE.write_text(json.dumps(cluster))
    return 0


if __name__ == "__main__":
    sys.exit(main([word for word in sys.argv[1:] if not word.startswith("--context=")]))
