"""Rollouts in host-side code: when a service is healthy, what is retried, what is kept."""

from typing import Any

import pytest

from nexus.agent.change import Change
from roles.service.host import rollout, state
from tests.plan.fake_run import StandIn

WANTED = {"hash": "h1", "replicas": 1}


def service(label="h1", update=None, template=None):
    spec = {"Labels": {"nexus.hash": label}, "TaskTemplate": {**(template or {"v": 1}), "Runtime": "container"}}
    return {"ID": "S", "Spec": spec, "UpdateStatus": update or {}}


def task(state, template=None, desired="running"):
    return {"ServiceID": "S", "Spec": template or {"v": 1}, "DesiredState": desired, "Status": {"State": state}}


@pytest.mark.parametrize(
    ("found", "tasks", "healthy", "final"),
    [
        (service(), [task("running")], True, False),
        (service(), [task("starting")], False, False),  # runs, but its health check has not passed yet
        (service(), [task("running", template={"v": 0})], False, False),  # the one before the update
        (service(update={"State": "updating"}), [task("running")], False, False),
        (service(update={"State": "completed"}), [task("running")], True, False),
        (service(label="h0", update={"Message": "failed"}), [task("running")], False, True),  # rolled back
        (service(), [task("rejected", desired="shutdown")] * 3, False, True),
        (None, [], False, True),
    ],
)
def test_when_a_service_is_healthy(found, tasks, healthy, final):
    reason, hopeless = rollout.unhealthy(found, tasks, WANTED)
    assert (not reason, hopeless) == (healthy, final)


def test_a_global_service_needs_every_task():
    wanted = {"hash": "h1", "replicas": None}
    assert rollout.unhealthy(service(), [task("running"), task("running")], wanted) == ("", False)
    assert rollout.unhealthy(service(), [task("running"), task("starting")], wanted)[0] == "1 of 2 tasks run"
    assert rollout.unhealthy(service(), [], wanted)[0] == "0 of 1 tasks run"


@pytest.mark.parametrize("kind", ["Config", "Secret"])
def test_configs_and_secrets_of_a_rollback_are_kept(kind):
    def spec(*names):
        mounted = [{f"{kind}Name": name, "File": {"Name": f"/{name}"}} for name in names]
        return {"TaskTemplate": {"ContainerSpec": {f"{kind}s": mounted}}}

    assert state._held({"Spec": spec("new"), "PreviousSpec": spec("old")}) == {"new", "old"}
    old = {"Spec": {"Name": "old"}, "CreatedAt": "2020-01-01T00:00:00.1Z"}
    assert state._left_over(old, {"new"}, keep_days=30)
    assert not state._left_over(old, {"new", "old"}, keep_days=30)
    young = {"Spec": {"Name": "young"}, "CreatedAt": "2999-01-01T00:00:00.1Z"}
    assert not state._left_over(young, set(), keep_days=30)


@pytest.mark.parametrize(
    ("error", "state", "waits", "deployed"),
    [
        ("starting container failed: device or resource busy", "rollback_completed", True, ["glitch"]),
        ("starting container failed: device or resource busy", "rollback_started", True, []),
        ("task: non-zero exit (1)", "rollback_completed", False, []),
    ],
)
def test_a_service_its_engine_failed_to_start_is_retried(monkeypatch, error, state, waits, deployed):
    tried = []
    monkeypatch.setattr(rollout, "deploy", lambda definitions: tried.extend(definitions))
    found = {"ID": "S", "UpdateStatus": {"State": state}}
    failed = {"ID": "T2", "ServiceID": "S", "Status": {"State": "failed", "Err": error}}
    earlier = {"ID": "T1", "ServiceID": "S", "Status": {"State": "failed", "Err": "non-zero exit (1)"}}
    step = rollout.Rollout(Engine([earlier]), {}, phase_seconds=1)
    assert step._continues(found, [earlier, failed], "glitch", {}) is waits
    assert tried == deployed
    if deployed:  # and never a third time
        assert not step._continues(found, [earlier, failed], "glitch", {})


class Engine(StandIn):
    """Docker's API, as far as lists of tasks are concerned."""

    def __init__(self, tasks):
        self.tasks = tasks

    def list(self, kind, **filters):
        return list(self.tasks)


def test_earlier_refusals_of_nodes_do_not_count():
    refused = [{"ID": f"T{number}", "Status": {"State": "rejected"}} for number in range(3)]
    engine = Engine(refused)
    step = rollout.Rollout(engine, {}, phase_seconds=1)
    assert step._tasks(["glitch"]) == []
    engine.tasks.append({"ID": "T9", "Status": {"State": "rejected"}})
    assert [task["ID"] for task in step._tasks(["glitch"])] == ["T9"]


class Swarm:
    """Docker's API for services, configs and secrets; `changes` are the requested changes."""

    def __init__(self, **stored):
        self.stored, self.changes = stored, []

    def list(self, kind, **filters):
        return [{"Spec": {"Name": name}, "CreatedAt": at} for name, at in self.stored.get(kind, {}).items()]

    def raw(self, method, path, body=None):
        self.changes.append((method, path, (body or {}).get("Name", "")))
        return 200, b"{}"


OLD, YOUNG = "2020-01-01T00:00:00.1Z", "2999-01-01T00:00:00.1Z"


def test_configs_and_secrets_that_no_task_uses_are_found_by_age(monkeypatch):
    """Configs that an earlier version stored as secrets are included."""
    configs = {"glitch-1": OLD, "glitch-2": OLD, "glitch-3": YOUNG, "glitch-4": OLD}
    swarm = Swarm(configs=configs, secrets={"glitch-config-0": OLD, "glitch-config-1": OLD})
    container = {"Image": "i", "Configs": [{"ConfigName": "glitch-1", "File": {"Name": "/run/secrets/config"}}]}
    spec = {"TaskTemplate": {"ContainerSpec": container}, "Labels": {}, "Mode": {}}
    monkeypatch.setattr(state, "Docker", lambda timeout: swarm)
    monkeypatch.setattr(state, "stack_services", lambda docker, status: {"glitch": {"Spec": spec}})
    found = state.probe([], {"recorded": ["glitch-2", "glitch-config-1"], "keep_days": 30})
    assert {item for item in found if not item.startswith("service ")} == {"config glitch-4", "secret glitch-config-0"}
    assert found["service glitch"]["files"] == ["/run/secrets/config: config glitch-1"]
    assert state.files(container) == {"/run/secrets/config": "config glitch-1"}


def test_configs_are_created_before_services_and_removed_after(monkeypatch):
    swarm = Swarm()
    deployed: list[tuple[list[str], int]] = []
    monkeypatch.setattr(state, "Docker", lambda: swarm)
    monkeypatch.setattr(state, "Rollout", lambda *_: type("Rollout", (), {"wait": lambda *_: 0.0})())
    monkeypatch.setattr(state, "deploy", lambda definitions: deployed.append((list(definitions), len(swarm.changes))))
    payload: dict[str, Any] = {
        "definitions": {"glitch": {"deploy": {"labels": {"nexus.phase": "1"}}}},
        "contents": {"config glitch-2": "PORT=1\n", "secret glitch-credentials-2": "KEY=x\n"},
    }
    changed, removed = [*payload["contents"], "service glitch"], ["config glitch-1", "secret glitch-config-1"]
    state.apply(Change({}, changed, removed, {"phase_seconds": 1, "depends_on": {}}, payload))
    assert deployed == [(["glitch"], 2)]
    assert swarm.changes == [
        ("POST", "/configs/create", "glitch-2"),
        ("POST", "/secrets/create", "glitch-credentials-2"),
        ("DELETE", "/configs/glitch-1", ""),
        ("DELETE", "/secrets/glitch-config-1", ""),
    ]
