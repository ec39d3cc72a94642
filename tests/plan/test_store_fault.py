"""Answers of running servers compared with the plan: pure comparison, without a host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nexus.agent import failure, lib
from nexus.agent.lib import RemoteError
from nexus.environment.environment import Environment
from nexus.plan import obstacle
from nexus.plan.comparison import Differences, Seen
from nexus.plan.desired import Desired, State
from roles.pgbouncer.host import state as pooler
from roles.pgbouncer.plan import CONFIG, in_force
from roles.pgbouncer.plan import plan as pooler_plan
from roles.postgresql.host import cluster, server
from roles.postgresql.host.planned import MEMBER, SERVER
from roles.postgresql.host.pooler import orders
from roles.postgresql.plan import compared
from roles.redis.host import server as redis
from roles.redis.instance import PERSISTENT
from roles.redis.plan import in_force as redis_in_force
from roles.redis.users import OWN, server_acl
from tests.plan.store_environment import environment, text


def test_an_obstacle_is_a_change_without_a_step() -> None:
    state = State("store", Path(__file__), {"node": {"drained": False}})
    answer = {"states": {"store": {"items": {"node": {"obstacle": "it is drained: revive"}}}}}
    found = Differences()
    step = state.compare(found, Seen(answer))
    assert ([str(change) for change in found.changes], step) == (["node: it is drained: revive"], None)
    assert obstacle.of_states(Desired(states=(state,)), answer) == ["it is drained: revive"]
    assert obstacle.of_states(Desired(states=(state,)), {"states": {"store": {"items": {"node": {}}}}}) == []


@pytest.mark.parametrize(
    ("wanted", "setting", "shown"),
    [
        (100, "100", "100"), ("on", "on", "on"), (True, "1", "on"), ("yes", "on", "on"), ("1GB", "131072", "1GB"),
        ("1024MB", "131072", "1GB"), ("1s", "1000", "1s"), (60, "60", "1min"), (0.9, "0.9", "0.9"),
        ("/etc/ca.pem", "/etc/ca.pem", "/etc/ca.pem"), ("60s", "60", "1min"), ("TLSv1.2", "TLSv1.2", "TLSv1.2"),
    ],
)  # fmt: skip
def test_settings_that_mean_the_same(wanted: Any, setting: str, shown: str) -> None:
    assert server.same(wanted, setting, shown)


@pytest.mark.parametrize(
    ("wanted", "setting", "shown"),
    [("on", "off", "off"), ("4GB", "16384", "128MB"), (100, "200", "200"), ("1s", "1", "1ms")],
)
def test_settings_that_differ(wanted: Any, setting: str, shown: str) -> None:
    assert not server.same(wanted, setting, shown)


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return environment(tmp_path_factory.mktemp("secrets"), data=3)


@pytest.fixture
def context(env: Environment, tmp_path: Path) -> dict[str, Any]:
    """The context of a comparison, with the files as planned."""
    found = {**compared(env, env.host("data1")), "data": str(tmp_path)}
    for name, lines in found["access"].items():
        (tmp_path / name).write_text("# Generated.\n" + "\n".join(lines) + "\n")
    return found


def told(context: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Differences of a primary that runs as planned, except for these."""
    settings = {name: [str(value), str(value), False] for name, value in context["settings"].items()}
    found = {"replica": False, "settings": settings, "altered": [], "read_only": ["off", "default"], "clients": {}}
    return {**found, "replay_paused": False, "synchronous": "data2", "rule_errors": [], "slots": [], **changes}


def test_a_server_that_runs_as_planned(context: dict[str, Any]) -> None:
    assert server.condition(told(context), context) == SERVER


def test_a_server_changed_outside_patroni(context: dict[str, Any]) -> None:
    said = told(context, altered=["work_mem", "primary_conninfo"], synchronous="", rule_errors=["line 3: no method"])
    said["settings"]["fsync"] = ["off", "off", False]
    said["settings"]["max_connections"] = ["50", "50", True]  # waits for a restart, which Patroni handles
    found = server.condition(said, context)
    assert (found["settings"], found["altered"], found["synchronous"]) == (["fsync"], ["work_mem"], False)
    assert found["access"] == ["line 3: no method"]
    Path(context["data"], "pg_hba.conf").write_text("host all all 0.0.0.0/0 trust\n")
    assert server.condition(told(context), context)["access"] == ["pg_hba.conf is not as planned"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"read_only": ["on", "configuration file"], "altered": [server.READ_ONLY]}, "alter system reset"),
        ({"read_only": ["on", "user"]}, "alter role postgres reset"),
        ({"read_only": ["on", "configuration file"]}, ""),  # set by Patroni, and removed from its settings
        ({"replica": True, "replay_paused": True}, "pg_wal_replay_resume()"),
        ({"clients": {"glitch_a": 90, "auth_a": 9}}, "all 100 connections are taken (glitch_a 90, auth_a 9)"),
        ({"clients": {"glitch_a": 90}}, ""),
    ],
)
def test_orders_that_only_a_person_can_end(context: dict[str, Any], changes: dict[str, Any], words: str) -> None:
    found = server.condition(told(context, **changes), context).get("obstacle", "")
    assert words in found if words else found == ""


def test_more_connections_can_be_planned_where_all_are_taken(context: dict[str, Any]) -> None:
    said = told(context, clients={"glitch_a": 100})
    said["settings"]["max_connections"] = ["100", "100", False]
    more = {**context, "settings": {**context["settings"], "max_connections": 200}}
    assert "obstacle" not in server.condition(said, more)


def test_an_unused_slot_is_noted(context: dict[str, Any]) -> None:
    assert "left (100 MiB)" in server.condition(told(context, slots=[["left", 100 << 20]]), context)["note"]
    assert "note" not in server.condition(told(context, slots=[["data2", 100]]), context)


@pytest.mark.parametrize(
    ("member", "in_step"),
    [
        ({"role": "leader", "state": "running"}, True), ({"role": "replica", "state": "streaming"}, True),
        ({"role": "replica", "state": "creating replica"}, True), ({"role": "replica", "state": "running"}, False),
        ({"role": "replica", "state": "start failed"}, False), ({"role": "leader", "state": "stopped"}, False),
    ],
)  # fmt: skip
def test_members_in_step(member: dict[str, Any], in_step: bool) -> None:
    assert cluster.standing(member)["in step"] is in_step
    assert (cluster.standing(member) == MEMBER) is in_step
    tags = {"tags": {"config": "1", "nofailover": True}}
    assert cluster.standing({**member, **tags})["other tags"] == ["nofailover"]


def test_paused_and_shut_databases_are_named_with_the_fix(env: Environment) -> None:
    def said(*marked: str, word: str = "paused") -> str:
        rows = [{"name": name, "paused": "0", "disabled": "0"} for name in ("a", "b", "c", "pgbouncer")]
        for row in rows:
            row[word] = "1" if row["name"] in marked else "0"
        return orders({"databases": rows}, {"pooler_port": 6432})

    assert said() == ""
    assert said("a").endswith("-c 'RESUME a'")
    assert said("a", "b", "c").endswith("-c 'RESUME'")
    assert said("b", word="disabled").endswith("-c 'ENABLE b'")
    wanted = in_force(text(pooler_plan(env, env.host("data1")), CONFIG))
    assert (wanted["pool_mode"], wanted["auth_type"]) == ("transaction", "hba")
    known = {"config of the pooler": wanted}
    assert pooler.different({"config": wanted}, known) == []
    assert pooler.different({"config": {**wanted, "pool_mode": "session"}}, known) == ["pool_mode"]


def test_users_of_redis_in_the_servers_own_spelling(env: Environment) -> None:
    planned = server_acl(env.catalogue.services_of_store("redis")[:1], {name: ["x"] for name in names(env)})
    shown = "user default off sanitize-payload resetchannels -@all"
    assert redis.user(shown) == redis.user(planned.splitlines()[0])
    by_hand = "user default on nopass sanitize-payload ~* &* +@all"
    assert redis.user(by_hand) != redis.user(planned.splitlines()[0])


def names(env: Any) -> list[str]:
    return [*OWN.values(), *(service.name for service in env.catalogue.services_of_store("redis"))]


@pytest.mark.parametrize(
    ("value", "shown", "same"),
    [("16mb", "16777216", True), ("2gb", "2147483648", True), ("100", "100", True), ("yes", "no", False)],
)
def test_sizes_of_redis(value: str, shown: str, same: bool) -> None:
    assert redis.same(value, shown) is same


def test_a_running_redis_is_compared_with_all_that_decides(env: Environment) -> None:
    found = redis_in_force(env, env.host("data1"), PERSISTENT)
    wanted = {"maxmemory", "maxmemory-policy", "appendonly", "protected-mode", "requirepass", "port", "masterauth"}
    assert wanted | {"replica-priority", "min-replicas-to-write", "tls-protocols"} <= found["settings"].keys()
    assert found["users"][0] == "user default reset off"


def test_a_failure_elsewhere_ends_a_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure, "DIRECTORY", str(tmp_path / "failed"))
    monkeypatch.setattr(lib, "FENCE", str(tmp_path / "fence.json"))
    (tmp_path / "fence.json").write_text('{"run": 7, "steps": 1}')
    failure.expect_others("backup")
    failure.note({"run": 7, "role": "backup", "host": "data1", "why": "its bucket refuses"})
    failure.expect_others("backup")  # not yet: a third host may still provide it
    monkeypatch.setattr(failure, "GRACE_SECONDS", -1)
    failure.expect_others("etcd")
    with pytest.raises(RemoteError, match=r"data1 failed, .* There: its bucket refuses"):
        failure.expect_others("backup")
    (tmp_path / "fence.json").write_text('{"run": 8, "steps": 1}')
    failure.expect_others("backup")  # from an earlier run
