"""A cluster, as kubectl sees it in one context: the only place that starts kubectl."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property

from gevent import subprocess

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from runbooks.kubernetes.item import ENVIRONMENT, MANAGER, OURS, Object, key
from runbooks.kubernetes.tree import dump

FIELD_MANAGER = "nexus-cos"
HANDOVER = "nexus-cos-handover"  # owns the replicas of a Deployment that had none by an autoscaler
DIFFERENT = 1  # exit status of `kubectl diff`
EXTENSIONS = {  # kinds that not every cluster has, and the setting that asks for them
    "HTTPRoute": ("httproutes.gateway.networking.k8s.io", "kubernetes_edge"),
    "Gateway": ("gateways.gateway.networking.k8s.io", "kubernetes_edge"),
    "ExternalSecret": ("externalsecrets.external-secrets.io", "kubernetes_secrets"),
}
KINDS = (
    *("serviceaccounts", "services", "configmaps", "secrets", "networkpolicies.networking.k8s.io"),
    *("deployments.apps", "poddisruptionbudgets.policy", "horizontalpodautoscalers.autoscaling"),
    *("ingresses.networking.k8s.io", *(plural for plural, _ in EXTENSIONS.values())),
)


class Cluster:
    """The cluster of an environment."""

    def __init__(self, env: Environment) -> None:
        self.environment, self.context = env.name, str(env.setting.kubernetes_context)
        if not self.context:
            raise OperatorError(
                f"{env.name} names no cluster: set kubernetes_context in group_data/{env.name}.py to a context of "
                "`kubectl config get-contexts`"
            )
        if not shutil.which("kubectl"):
            raise OperatorError(
                "kubectl is missing on this machine: install it, on Debian 13 with `apt install kubectl`"
            )
        self.kinds = set(self.run("api-resources", "--verbs=list", "-o", "name").split())

    def run(self, *words: str, data: str = "", accepted: Collection[int] = (0,)) -> str:
        """Standard output of kubectl; OperatorError with its message for another exit status."""
        argv = ["kubectl", f"--context={self.context}", *words]
        done = subprocess.run(argv, input=data.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode not in accepted:
            text = done.stderr.decode(errors="replace").strip()[-4000:]
            raise OperatorError(f"kubectl {' '.join(words[:3])} in {self.context} failed: {text}")
        return str(done.stdout.decode(errors="replace"))

    def apply(self, objects: Sequence[Object], manager: str = FIELD_MANAGER) -> None:
        """Server-side apply: fields of ours that others changed are taken back, those of others stay."""
        if objects:
            words = ("apply", "--server-side", "--force-conflicts", f"--field-manager={manager}", "-f", "-")
            self.run(*words, data=dump(objects))

    def diff(self, objects: Sequence[Object]) -> str:
        """What an apply would change, as the server computes it; it hides the values of Secrets."""
        known = [each for each in objects if (key(each)[1] or key(each)[2]) in self.namespaces]
        new = [each for each in objects if each not in known]
        words = ("diff", "--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}", "-f", "-")
        text = self.run(*words, data=dump(known), accepted=(0, DIFFERENT)) if known else ""
        return text + "".join(f"new: {' '.join(part for part in key(each) if part)}\n" for each in new)

    def items(self, kinds: Iterable[str], namespace: str = "") -> list[Object]:
        """Our objects of these kinds in all namespaces, or in one."""
        found = [kind for kind in kinds if kind in self.kinds]
        if not found:
            return []
        where = ["-n", namespace] if namespace else ["-A"]
        text = self.run("get", ",".join(found), *where, "-l", f"{MANAGER}={OURS[MANAGER]}", "-o", "json")
        items: list[Object] = json.loads(text)["items"]
        return items

    @cached_property
    def namespaces(self) -> dict[str, str]:
        """{namespace: environment that it belongs to} of the cluster; empty text for those of others."""
        items = json.loads(self.run("get", "namespaces", "-o", "json"))["items"]
        labels = {each["metadata"]["name"]: each["metadata"].get("labels") or {} for each in items}
        return {name: found.get(ENVIRONMENT, "") for name, found in labels.items()}

    def deployments(self) -> dict[str, Object]:
        """{service: its Deployment} as the cluster has them."""
        return deployments_of(self.items(["deployments.apps"]))

    def delete(self, found: Iterable[Object]) -> None:
        """Delete objects; one that is gone already is left out."""
        for each in found:
            kind, namespace, name = key(each)
            group = each["apiVersion"].partition("/")[0] if "/" in each["apiVersion"] else ""
            full = f"{kind.lower()}.{group}" if group else kind.lower()
            self.run("delete", full, name, "-n", namespace, "--ignore-not-found", "--wait=false")

    def refuse(self, objects: Iterable[Object]) -> None:
        """OperatorError if the cluster belongs to another environment, or lacks a kind that is rendered."""
        wanted = list(objects)
        names = {key(each)[2] for each in wanted if each["kind"] == "Namespace"}
        for name, owner in self.namespaces.items():
            if name in names and owner != self.environment:
                whose = f"belongs to the environment {owner}" if owner else "was not made by this project"
                raise OperatorError(
                    f"the namespace {name} in {self.context} {whose}: a cluster holds one environment. "
                    f"Use another context, or label the namespace {ENVIRONMENT}={self.environment} to take it over"
                )
        for kind, (plural, setting) in EXTENSIONS.items():
            if any(each["kind"] == kind for each in wanted) and plural not in self.kinds:
                raise OperatorError(f"{self.context} does not know {plural}: install it there, or change {setting}")


def deployments_of(found: Iterable[Object]) -> dict[str, Object]:
    """{service: its Deployment} among these objects."""
    return {key(each)[2]: each for each in found if each["kind"] == "Deployment"}
