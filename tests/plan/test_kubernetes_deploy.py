"""deploys/kubernetes.py against a kubectl that plays a cluster: apply, delete, refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nexus.error import OperatorError
from runbooks.kubernetes import deploy
from tests.plan.fake_cluster import Played, play


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    return play(tmp_path, monkeypatch)


def test_a_second_apply_changes_nothing(played: Played) -> None:
    assert played.start()[0] == "Apply 11 namespaces"
    assert sum(key.startswith("Deployment ") for key in played.cluster) == 43
    assert sum(key.startswith("Secret ") for key in played.cluster) == 43 + 10
    assert played.start() == []


def test_a_first_release_that_fails_has_no_way_back(played: Played) -> None:
    with pytest.raises(OperatorError, match=r"\nno earlier release to go back to: key-service, .*, vscreen-hollywood$"):
        played.start(release="broken")


def test_autoscalers_take_over_without_a_dip(played: Played) -> None:
    played.start(kubernetes_autoscale=False)
    before = {key: each["spec"]["replicas"] for key, each in played.cluster.items() if key.startswith("Deployment ")}
    assert sum(before.values()) == 113
    assert "Keep the replicas of 43 Deployments" in played.start()
    assert {key: played.cluster[key]["spec"]["replicas"] for key in before} == before
    assert "scaled down" not in (played.directory / "cluster.log").read_text()
    assert played.start() == []


def test_what_left_the_plan_is_deleted(played: Played) -> None:
    played.start()
    assert any(key.endswith(" glitch") for key in played.cluster)
    told = played.start(services_excluded=["glitch"])
    assert told[-1].startswith("Delete ")
    assert not any(key.endswith(" glitch") for key in played.cluster)
    assert played.start(services_excluded=["glitch"]) == []


def test_configuration_of_an_earlier_release_stays(played: Played) -> None:
    played.start()
    cluster = played.cluster
    (found,) = (each for key, each in cluster.items() if key == "Deployment nexus-platform glitch")
    old = {**found, "kind": "ReplicaSet", "metadata": {**found["metadata"], "name": "glitch-1"}}
    (config,) = (key for key in cluster if key.startswith("ConfigMap nexus-platform glitch-config-"))
    (played.directory / "cluster.json").write_text(json.dumps({**cluster, "ReplicaSet x glitch-1": old}))
    played.start(service_environment_of={"glitch": {"LOG_LEVEL": "debug"}})
    assert config in played.cluster
    assert sum(key.startswith("ConfigMap nexus-platform glitch-config-") for key in played.cluster) == 2
    played.start(services_excluded=["glitch"])
    assert config not in played.cluster, "no release of a service that is gone goes back"


@pytest.mark.parametrize(
    ("cluster", "settings", "text"),
    [
        ({}, {"kubernetes_context": ""}, "production names no cluster: set kubernetes_context"),
        ({"nexus-cos/environment": "staging"}, {}, "belongs to the environment staging"),
        ({"team": "other"}, {}, "was not made by this project"),
        ({}, {"kubernetes_secrets": "external"}, "does not know externalsecrets.external-secrets.io"),
    ],
)
def test_a_refusal_changes_nothing(
    played: Played, cluster: dict[str, str], settings: dict[str, Any], text: str
) -> None:
    state = played.directory / "cluster.json"
    if cluster:
        found = {"kind": "Namespace", "metadata": {"name": "nexus-auth", "labels": cluster}}
        state.write_text(json.dumps({"Namespace  nexus-auth": found}))
    with pytest.raises(OperatorError, match=text):
        deploy.plan(played.set(**settings))
    log = state.with_suffix(".log")
    assert not log.exists() or "apply" not in log.read_text()
