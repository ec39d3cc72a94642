"""deploys/kubernetes.py on a real API server: apply, compare, release, roll back, delete."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from nexus.catalogue import load
from tests.kubernetes import state
from tests.kubernetes.conftest import World
from tests.kubernetes.nodes import BROKEN
from tests.kubernetes.size import replicas
from tests.plan.kubernetes_environment import digests

SERVICES = 43
NEW = "sha256:" + "f" * 64


def test_everything_is_rolled_out(applied: World) -> None:
    assert state.available(applied.plane) == replicas()
    phases = Counter(each["status"]["phase"] for each in state.pods(applied.plane))
    assert phases == {"Running": sum(replicas().values())}
    serving = Counter(
        each["metadata"]["labels"]["kubernetes.io/service-name"]
        for each in applied.plane.items("endpointslices", "-l", state.LABEL)
        for endpoint in each["endpoints"]
        if endpoint["conditions"]["ready"]
    )
    assert serving == replicas()
    assert applied.nodes.error is None


def test_a_second_apply_changes_nothing(applied: World) -> None:
    before = state.versions(applied.plane)
    assert len(before) > 400
    for words in (["--dry"], ["-y"]):
        done = applied.operator.run(*words)
        assert (done.status, done.changes) == (0, 0), done.output
    assert state.versions(applied.plane) == before


def test_a_dry_run_shows_the_difference_of_the_server(applied: World) -> None:
    before = state.versions(applied.plane)
    applied.plane.kubectl(
        "label", "-n", "nexus-platform", "service/glitch", "app.kubernetes.io/name=other", "--overwrite"
    )
    edited = state.versions(applied.plane)
    done = applied.operator.run("--dry")
    assert done.status == 0, done.output
    assert done.changes > 0
    assert "-    app.kubernetes.io/name: other" in done.output
    assert "+    app.kubernetes.io/name: glitch" in done.output
    assert state.versions(applied.plane) == edited != before


def test_others_keep_their_fields(applied: World) -> None:
    applied.plane.kubectl("annotate", "-n", "nexus-platform", "service/glitch", "team=other")
    patch = {"spec": {"ports": [{"port": load().services["glitch"].port, "targetPort": 1}]}}
    applied.plane.kubectl("patch", "-n", "nexus-platform", "service/glitch", "-p", json.dumps(patch))
    done = applied.operator.run("-y")
    assert done.status == 0, done.output
    (found,) = applied.plane.items("services", "-l", f"{state.LABEL},app.kubernetes.io/name=glitch")
    assert found["metadata"]["annotations"]["team"] == "other"
    assert [port["targetPort"] for port in found["spec"]["ports"]] == ["http"]


def test_no_value_of_a_secret_is_shown(applied: World) -> None:
    (found,) = applied.plane.items("secrets", "--field-selector=metadata.name=glitch-credentials")
    value = found["data"]["ca.pem"]
    patch = '{"data":{"ca.pem":"b3RoZXI="}}'
    applied.plane.kubectl("patch", "-n", "nexus-platform", "secret/glitch-credentials", "-p", patch)
    done = applied.operator.run("--dry", "-v")
    assert done.changes > 0, done.output
    assert "glitch-credentials" in done.output
    assert value[:40] not in done.output
    assert "b3RoZXI=" not in done.output


def test_a_release_and_its_way_back(applied: World) -> None:
    released = {"kubernetes_digests": {**digests(), "glitch": NEW}}
    what = ("-y", "--data", "services=glitch")
    done = applied.operator.carry_out("release", *what, "--data", "release=2.4.1", **released)
    assert done.status == 0, done.output
    assert state.image(applied.plane, "glitch").endswith(f":2.4.1@{NEW}")
    assert {each["spec"]["containers"][0]["image"][-8:] for each in state.pods(applied.plane, "glitch")} == {NEW[-8:]}
    assert applied.operator.run("-y").changes == 0  # a later run keeps what was released
    back = applied.operator.carry_out("rollback", *what)
    assert back.status == 0, back.output
    assert state.image(applied.plane, "glitch").endswith(f":1.0.0@{digests()['glitch']}")
    assert applied.operator.run("-y").status == 0
    assert applied.operator.run("-y").changes == 0
    assert state.image(applied.plane, "glitch").endswith(f":1.0.0@{digests()['glitch']}")


def test_a_release_that_fails_goes_back(applied: World) -> None:
    released = {"kubernetes_digests": {**digests(), "glitch": NEW}}
    what = ("-y", "--data", "services=glitch", "--data", f"release={BROKEN[1:]}")
    done = applied.operator.carry_out("release", *what, **released)
    assert done.status != 0, done.output
    assert "ImagePullBackOff: Back-off pulling image" in done.output
    assert "glitch did not get through" in done.output
    assert "1.0.0 runs" in done.output
    state.wait_until(lambda: state.available(applied.plane)["glitch"] == replicas()["glitch"])
    assert state.image(applied.plane, "glitch").endswith(f":1.0.0@{digests()['glitch']}")


def test_what_left_the_plan_is_deleted(applied: World) -> None:
    applied.plane.kubectl("create", "configmap", "of-another", "-n", "nexus-platform", "--from-literal=a=b")
    ours = [found for found in state.versions(applied.plane) if "glitch" in found[2]]
    assert {kind for kind, *_ in ours} >= {
        "Deployment",
        "Service",
        "ConfigMap",
        "Secret",
        "ServiceAccount",
        "HTTPRoute",
    }
    done = applied.operator.run("-y", services_excluded=["glitch"])
    assert done.status == 0, done.output
    assert [found for found in state.versions(applied.plane) if "glitch" in found[2]] == []
    state.wait_until(lambda: state.pods(applied.plane, "glitch") == [])
    assert len(state.deployments(applied.plane)) == SERVICES - 1
    assert applied.operator.run("-y", services_excluded=["glitch"]).changes == 0
    assert "of-another" in applied.plane.kubectl("get", "configmap", "-n", "nexus-platform")


def test_autoscalers_take_over_without_a_dip(applied: World) -> None:
    fixed = applied.operator.run("-y", kubernetes_autoscale=False)
    assert fixed.status == 0, fixed.output
    assert not any(kind == "HorizontalPodAutoscaler" for kind, *_ in state.versions(applied.plane))
    with state.fewest(applied.plane) as found:
        back = applied.operator.run("-y")
    assert back.status == 0, back.output
    assert found == replicas()
    assert applied.operator.run("-y").changes == 0


def test_fewer_replicas_and_back(applied: World) -> None:
    done = applied.operator.run("-y", service_replicas_max=1)
    assert done.status == 0, done.output
    state.wait_until(lambda: set(state.available(applied.plane).values()) == {1})
    assert not any(kind == "PodDisruptionBudget" for kind, *_ in state.versions(applied.plane))
    assert applied.operator.run("-y", service_replicas_max=1).changes == 0
    assert applied.operator.run("-y").status == 0
    assert state.available(applied.plane) == replicas()


@pytest.mark.parametrize(
    ("settings", "come", "go"),
    [
        ({"kubernetes_edge": "ingress", "kubernetes_edge_namespaces": ["edge"]}, "Ingress", "HTTPRoute"),
        ({"kubernetes_secrets": "external"}, "ExternalSecret", "Secret"),
    ],
)
def test_another_way_of_serving_or_of_secrets(applied: World, settings: dict, come: str, go: str) -> None:
    done = applied.operator.run("-y", **settings)
    assert done.status == 0, done.output
    kinds = Counter(kind for kind, *_ in state.versions(applied.plane))
    assert kinds[come] > 0 == kinds[go]
    assert applied.operator.run("-y", **settings).changes == 0
