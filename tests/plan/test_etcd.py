"""etcd as planned: which host founds, which join, which may connect, and the notes about its size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment
from nexus.plan import diff
from roles.certificate.plan import ETCD_CA, ETCD_KEY
from roles.certificate.plan import plan as certificates
from roles.etcd.plan import CONFIG, DROP_IN, INITIAL, notes, plan
from tests.plan.environments import environment
from tests.plan.store_environment import text

BARE: dict[str, Any] = {
    "paths": {}, "packages": {}, "units": {}, "users": {}, "groups": {}, "states": {}, "manifest": {},
}  # fmt: skip


def data(tmp_path: Path, *hosts: str, **settings: Any) -> Environment:
    groups = dict.fromkeys(hosts, "etcd postgresql")
    return environment(tmp_path, {"app1": "app", **groups}, **settings)


def test_the_first_host_founds_and_removes_members(tmp_path: Path) -> None:
    env = data(tmp_path, "data1", "data2", "data3")
    assert env.speaker("etcd").name == "data1"
    states = {name: {state.name: state for state in plan(env, env.host(name)).states} for name in ("data1", "data2")}
    assert states["data2"]["etcd data"].context["founder"] == "data1"
    assert states["data1"]["etcd members"].extra == "remove"
    assert states["data2"]["etcd members"].extra == "keep"
    assert list(states["data2"]["etcd members"].items) == ["member data2"]


def test_a_run_without_some_hosts_removes_no_member(tmp_path: Path) -> None:
    env = data(tmp_path, "data1", "data2", "data3", without="data1")
    assert env.speaker("etcd").name == "data2"
    members = plan(env, env.host("data2")).states[1]
    assert members.extra == "keep"
    assert len(members.context["planned"]) == 3


def test_etcd_starts_only_once_its_start_mode_is_decided(tmp_path: Path) -> None:
    env = data(tmp_path, "data1")
    desired = diff.complete(plan(env, env.host("data1")))
    assert f"ConditionPathExists={INITIAL}" in text(desired, DROP_IN)
    assert DROP_IN in [file.path for file in desired.early]
    steps = [step.get("kind", step["do"]) for step in diff.compare("etcd", desired, BARE, {}).steps]
    assert steps == [
        "record", "files", "units", "packages", "users", "files", "units", "states", "units", "states",
    ]  # fmt: skip


def test_only_hosts_of_the_data_tier_may_ask(tmp_path: Path) -> None:
    env = data(tmp_path, "data1")
    assert text(certificates(env, env.host("data1")), ETCD_CA) != env.tls.certificate
    elsewhere = [file.path for file in certificates(env, env.host("app1")).files]
    assert not set(elsewhere) & {ETCD_CA, ETCD_KEY}
    config = dict(line.split("=", 1) for line in text(plan(env, env.host("data1")), CONFIG).splitlines() if "=" in line)
    for side in ("CLIENT", "PEER"):
        prefix = "ETCD_" if side == "CLIENT" else "ETCD_PEER_"
        assert (config[f"{prefix}TRUSTED_CA_FILE"], config[f"{prefix}KEY_FILE"]) == (ETCD_CA, ETCD_KEY)
    assert (config["ETCD_CLIENT_CERT_AUTH"], config["ETCD_PEER_CLIENT_CERT_AUTH"]) == ("true", "true")
    assert all(url.startswith("https://") for url in config["ETCD_LISTEN_CLIENT_URLS"].split(","))


@pytest.mark.parametrize(("hosts", "said"), [(1, []), (3, []), (2, ["etcd has 2 members (data1, data2)"])])
def test_an_even_number_of_members_is_noted(tmp_path: Path, hosts: int, said: list[str]) -> None:
    found = notes(data(tmp_path, *(f"data{number}" for number in range(1, hosts + 1))))
    assert [text.split(":")[0] for text in found] == said


def test_a_leader_is_found_before_the_primary_gives_up(tmp_path: Path) -> None:
    """An election takes up to two timeouts; Patroni steps down when it cannot write within its retries."""
    setting = data(tmp_path, "data1").setting
    assert 2 * setting.etcd_election_milliseconds < 1000 * setting.postgresql_retry_seconds
    assert 5 * setting.etcd_heartbeat_milliseconds <= setting.etcd_election_milliseconds  # etcd refuses a lower value
