"""deploys/release.py and deploys/rollback.py where services run in a cluster, played by a program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nexus.error import OperatorError
from roles.health.status import rows as health_rows
from runbooks.kubernetes.status import rows
from tests.plan.fake_cluster import NEW, Played, play
from tests.plan.kubernetes_environment import digests


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    found = play(tmp_path, monkeypatch, ("key-service", "glitch"))
    found.start()
    return found


def config(played: Played, name: str) -> str:
    """The configuration that the pods of a service mount."""
    volumes = played.deployment(name)["spec"]["template"]["spec"]["volumes"]
    return str(volumes[0]["projected"]["sources"][0]["configMap"]["name"])


def test_a_release_and_its_way_back(played: Played) -> None:
    first = config(played, "glitch")
    told = played.release("glitch", number="2.4.1")
    assert told == ["Release 2.4.1 of glitch (1.0.0)"]
    assert [str(change) for changes in played.changes.values() for change in changes] == [
        "release of glitch: 1.0.0 -> 2.4.1"
    ]
    assert played.image("glitch").endswith(f":2.4.1@{NEW}")
    assert ":1.0.0@" in played.image("key-service")
    assert played.release("glitch", number="2.4.1") == []
    assert played.start() == []  # a later run keeps what was released
    assert played.back("glitch") == ["Roll back glitch 2.4.1 -> 1.0.0"]
    assert played.image("glitch").endswith(f":1.0.0@{digests()['glitch']}")
    assert config(played, "glitch") == first
    assert played.start() == []
    assert played.back("glitch") == []
    played.back("glitch", to="2.4.1")
    assert played.image("glitch").endswith(f":2.4.1@{NEW}")
    with pytest.raises(OperatorError, match=r"glitch was never at release 7 .* it was at 2\.4\.1, 1\.0\.0"):
        played.back("glitch", to="7")


def test_a_service_that_went_back_keeps_its_configuration(played: Played) -> None:
    first = config(played, "glitch")
    changed: dict[str, Any] = {"service_environment_of": {"glitch": {"LOG_LEVEL": "debug"}}}
    played.release("glitch", number="2.4.1", **changed)
    played.back("glitch")
    assert config(played, "glitch") == first
    played.start(**changed)
    assert config(played, "glitch") == first
    assert played.start(**changed) == []


def test_a_release_that_fails_goes_back(played: Played, caplog: pytest.LogCaptureFixture) -> None:
    played.release("key-service", number="2.0.0")
    first = played.image("glitch")
    with pytest.raises(OperatorError, match=r"(?s)glitch did not get through: it is not rolled out.*1\.0\.0 runs"):
        played.release("glitch", number="broken")
    assert played.image("glitch") == first
    assert "last words of app.kubernetes.io/name=glitch" in caplog.text
    assert ":2.0.0@" in played.image("key-service")
    played.start()  # deletes the configuration of the failed release
    assert played.image("glitch") == first
    assert played.start() == []


def test_the_policy_back_takes_all_services_back(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("key-service", "glitch")
    monkeypatch.setenv("FAKE_BROKEN", "glitch:2.0.0")
    with pytest.raises(OperatorError, match=r"(?s)glitch did not get through.*key-service went back, too"):
        played.release(*names, number="2.0.0", release_side_by_side=1, release_on_failure="back")
    assert all(":1.0.0@" in played.image(name) for name in names)


def test_a_run_that_dies_leaves_the_old_release_planned(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("runbooks.kubernetes.rollout.wait", killed)
        with pytest.raises(KeyboardInterrupt):
            played.release("glitch", number="2.4.1")
    assert ":2.4.1@" in played.image("glitch")
    assert played.start() != []
    assert ":1.0.0@" in played.image("glitch")


def test_without_a_record_the_earlier_replica_set_is_the_target(played: Played) -> None:
    played.release("glitch", number="2.4.1")
    cluster = played.cluster
    del cluster["ConfigMap nexus-platform glitch-release"]
    found = played.deployment("glitch")
    old = {**found, "kind": "ReplicaSet", "spec": {"template": found["earlier"]}}
    old["metadata"] = {**found["metadata"], "name": "glitch-1"}
    (played.directory / "cluster.json").write_text(json.dumps({**cluster, "ReplicaSet x glitch-1": old}))
    played.back("glitch")
    assert played.image("glitch").endswith(f":1.0.0@{digests()['glitch']}")


def test_what_a_cluster_cannot_do_is_refused(played: Played) -> None:
    with pytest.raises(OperatorError, match=r"canary=10: in test this project gives no release a share"):
        played.release("glitch", number="2.4.1", canary=10)
    with pytest.raises(OperatorError, match=r'service_engine="docker" in production: use "swarm" or "kubernetes"'):
        played.release("glitch", number="2.4.1", service_engine="docker")
    with pytest.raises(OperatorError, match=r"only the registry's host knows which images exist"):
        played.release("glitch", number="2.4.1", kubernetes_digests={})
    cluster = {name: each for name, each in played.cluster.items() if name != "Deployment nexus-platform glitch"}
    (played.directory / "cluster.json").write_text(json.dumps(cluster))
    with pytest.raises(OperatorError, match=r"glitch: not in test yet; deploy a new service with deploys/kubernetes"):
        played.release("glitch", number="2.4.1")


def test_the_status_tells_of_the_cluster(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> dict[tuple[str, str], tuple[str, bool]]:
        return {(row.area, row.what): (row.value, row.missed) for row in rows(played.environment)}

    rolled_out, recorded = ("services", "rollouts"), ("services", "releases")
    assert told() == {rolled_out: ("2 of 2 rolled out in test", False), recorded: ("2 of 2 as recorded", False)}
    played.release("glitch", number="2.4.1")
    cluster = played.cluster
    del cluster["Deployment nexus-platform key-service"]
    text = json.dumps(cluster).replace(f":2.4.1@{NEW}", f":2.4.2@{digests()['glitch']}")
    (played.directory / "cluster.json").write_text(text)
    assert told() == {rolled_out: ("1 of 2 rolled out in test", True), recorded: ("0 of 2 as recorded", True)}
    monkeypatch.setenv("FAKE_CLUSTER", str(played.directory / "gone/cluster.json"))
    assert told() == {rolled_out: ("unknown", True)}
    (row,) = health_rows(played.environment, {}, 0)
    assert row.value.startswith("not asked: ")


def test_a_release_hands_replicas_to_a_new_autoscaler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting changed, and nothing was applied since."""
    played = play(tmp_path, monkeypatch, ("glitch",))
    played.start(kubernetes_autoscale=False)
    before = played.cluster["Deployment nexus-platform glitch"]["spec"]["replicas"]
    assert before > 1
    played.release("glitch", number="2.4.1")
    assert played.cluster["Deployment nexus-platform glitch"]["spec"]["replicas"] == before
    assert "scaled down" not in (played.directory / "cluster.log").read_text()
