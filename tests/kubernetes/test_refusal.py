"""What a real API server refuses, and what the operator is told: nothing is half done."""

from __future__ import annotations

import json
from pathlib import Path

from tests.kubernetes import state
from tests.kubernetes.conftest import World
from tests.kubernetes.nodes import FAILING
from tests.plan.kubernetes_environment import digests

NEW = "sha256:" + "e" * 64
POLICY = "no-debugging"
MIGRATION = ("  - name: auth-service\n", "  - name: auth-service\n    migration: [node, migrate.js]\n")


def refused(world: World, *words: str, **settings: object) -> str:
    """What is said of a run that is refused; AssertionError if it changed an object of ours."""
    before = state.versions(world.plane)
    done = world.operator.run("-y", *words, **settings)
    assert done.status != 0, done.output
    assert "Traceback" not in done.output, done.output
    assert state.versions(world.plane) == before
    return done.output


def test_a_cluster_that_does_not_fit(empty: World, binaries: Path) -> None:
    plane = empty.plane
    assert "does not know httproutes.gateway.networking.k8s.io: install it there" in refused(empty)
    empty.define(binaries)
    assert 'context "nowhere" does not exist' in refused(empty, kubernetes_context="nowhere")
    plane.kubectl("create", "namespace", "nexus-auth")
    assert "the namespace nexus-auth in loopback was not made by this project" in refused(empty)
    plane.kubectl("label", "namespace", "nexus-auth", "nexus-cos/environment=staging")
    assert "the namespace nexus-auth in loopback belongs to the environment staging" in refused(empty)
    plane.kubectl("delete", "namespace", "nexus-auth")
    assert state.versions(plane) == {}


def test_an_operator_who_may_only_look(applied: World) -> None:
    plane = applied.plane
    plane.kubectl("create", "serviceaccount", "viewer", "-n", "default")
    plane.kubectl("create", "clusterrolebinding", "viewer", "--clusterrole=view", "--serviceaccount=default:viewer")
    token = plane.kubectl("create", "token", "viewer", "-n", "default").strip()
    with applied.operator.with_token(token):
        text = refused(applied)
    assert "Forbidden" in text or "forbidden" in text
    assert "in loopback failed" in text


def test_a_rule_of_the_cluster(applied: World) -> None:
    """A cluster may refuse what every schema accepts; the comparison finds it before anything is applied."""
    plane = applied.plane
    plane.kubectl("apply", "-f", "-", data=json.dumps({"apiVersion": "v1", "kind": "List", "items": policy()}))
    changed = {"service_environment_of": {"glitch": {"LOG_LEVEL": "debug"}}}
    try:
        state.wait_until(lambda: POLICY in plane.kubectl(*probe(), accepted=(0, 1)))
        assert POLICY in refused(applied, **changed)
    finally:
        plane.kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", POLICY)
    state.wait_until(lambda: POLICY not in plane.kubectl(*probe(), accepted=(0, 1)))


def policy() -> list[state.Object]:
    """A rule of the cluster: no configuration says debug."""
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}]
    expression = "!has(object.data) || !object.data.exists(name, object.data[name].contains('debug'))"
    spec = {
        "matchConstraints": {"resourceRules": rules},
        "validations": [{"expression": expression, "message": "debugging is not allowed here"}],
    }
    binding = {"policyName": POLICY, "validationActions": ["Deny"]}
    kinds = {"ValidatingAdmissionPolicy": spec, "ValidatingAdmissionPolicyBinding": binding}
    api = "admissionregistration.k8s.io/v1"
    return [
        {"apiVersion": api, "kind": kind, "metadata": {"name": POLICY}, "spec": about} for kind, about in kinds.items()
    ]


def probe() -> list[str]:
    """The words with which kubectl asks whether the rule is in force."""
    return ["create", "configmap", "probe", "-n", "default", "--from-literal=a=debug", "--dry-run=server"]


def test_a_migration_runs_once_and_stops_a_release_if_it_fails(applied: World) -> None:
    plane, operator = applied.plane, applied.operator
    released = {"kubernetes_digests": {**digests(), "auth-service": NEW}}
    words = ["-y", "--data", "services=auth-service", "--data"]
    with operator.edited("group_data/catalogue/services.yaml", *MIGRATION):
        first = operator.run("-y")
        assert first.status == 0, first.output
        assert "Migrate: auth-service-migration-" in first.output
        assert operator.run("-y").changes == 0
        before = state.image(plane, "auth-service")
        failed = operator.carry_out("release", *words, f"release={FAILING[1:]}", **released)
        assert failed.status != 0, failed.output
        assert "failed, and its service was not released; fix it, and rerun" in failed.output
        assert state.image(plane, "auth-service") == before
        again = operator.carry_out("release", *words, "release=2.4.1", **released)
        assert again.status == 0, again.output
        assert state.image(plane, "auth-service").endswith(f":2.4.1@{NEW}")
    jobs = {each["metadata"]["name"] for each in plane.items("jobs", "-l", state.LABEL)}
    assert len(jobs) == 3
