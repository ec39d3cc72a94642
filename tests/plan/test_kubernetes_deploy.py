"""deploys/kubernetes.py against a kubectl that plays a cluster: apply, release, roll back, delete, refuse."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from nexus.error import OperatorError
from nexus.run.run import Run
from runbooks.kubernetes import deploy, rollout, tree
from tests.plan.fake_run import FakeRun
from tests.plan.kubernetes_environment import digests, environment

FAKE = Path(__file__).with_name("fake_kubectl.py")
NEW = "sha256:" + "f" * 64


class Played(FakeRun):
    """A run that reaches no host, and a cluster."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = environment(directory, kubernetes_context="test")

    def reaches(self, name: str) -> bool:
        return False

    def start(self, *services: str, **settings: Any) -> list[str]:
        """What the run did."""
        self.environment = environment(self.directory, kubernetes_context="test", **settings)
        acts = deploy.plan(cast(Run, self), services)
        self.environment.secrets.save()  # as a run does before its first act
        for act in acts:
            act.do()
        return [act.what for act in acts]

    def back(self, *names: str) -> None:
        for act in deploy._roll_back(cast(Run, self), names):
            act.do()

    @property
    def cluster(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.directory / "cluster.json").read_text())
        return found

    def image(self, name: str) -> str:
        (found,) = (
            each for key, each in self.cluster.items() if key.startswith("Deployment ") and key.endswith(f" {name}")
        )
        return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    monkeypatch.delenv("NEXUS_SOURCE", raising=False)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/kubectl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setenv("FAKE_CLUSTER", str(tmp_path / "cluster.json"))
    monkeypatch.setattr(deploy, "executing", lambda: True)
    monkeypatch.setattr(tree, "directory", lambda: tmp_path / "dist")
    monkeypatch.setattr(rollout, "POLL_SECONDS", 0)
    return Played(tmp_path)


def test_a_second_apply_changes_nothing(played: Played) -> None:
    assert played.start()[0] == "Apply 11 namespaces"
    assert sum(key.startswith("Deployment ") for key in played.cluster) == 43
    assert sum(key.startswith("Secret ") for key in played.cluster) == 43 + 10
    assert played.start() == []


def test_a_release_and_its_way_back(played: Played) -> None:
    played.start()
    released = {"kubernetes_digests": {**digests(), "glitch": NEW}, "release": "2.4.1"}
    played.start("glitch", **released)
    assert played.image("glitch").endswith(f":2.4.1@{NEW}")
    assert ":1.0.0@" in played.image("key-service")
    assert played.start() == []  # a later run keeps what was released
    played.back("glitch")
    assert played.image("glitch").endswith(f":1.0.0@{digests()['glitch']}")
    played.start()
    assert played.image("glitch").endswith(f":1.0.0@{digests()['glitch']}")
    assert played.start() == []


def test_a_release_that_fails_goes_back(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    played.start()
    with pytest.raises(OperatorError, match=r"glitch is not rolled out: .*\nglitch goes back to its earlier release"):
        played.start("glitch", release="broken", kubernetes_digests={**digests(), "glitch": NEW})
    assert ":1.0.0@" in played.image("glitch")


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
    played.environment = environment(played.directory, **{"kubernetes_context": "test", **settings})
    with pytest.raises(OperatorError, match=text):
        deploy.plan(cast(Run, played), ())
    log = state.with_suffix(".log")
    assert not log.exists() or "apply" not in log.read_text()
