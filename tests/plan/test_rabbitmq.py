"""RabbitMQ's nodes as planned: where they listen, what exists before they start, and the size of a cluster."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nexus.error import OperatorError
from roles.rabbitmq.plan import COOKIE, DIRECTORY, DROP_IN, MAY_STOP, UNIT, notes, plan
from tests.plan.store_environment import ADDRESS, GIB, environment, file, text


def settings(content: str) -> dict[str, str]:
    return dict(line.split(" = ", 1) for line in content.splitlines() if " = " in line)


def test_the_network_sees_tls_and_nothing_else(tmp_path: Path) -> None:
    env = environment(tmp_path, rabbitmq_port=5999)
    desired = plan(env, env.host("data1"))
    found = settings(text(desired, f"{DIRECTORY}/rabbitmq.conf"))
    assert found["listeners.tcp"] == "none"
    assert found["listeners.ssl.1"] == f"{ADDRESS}:5999"
    assert found["management.tcp.ip"] == "127.0.0.1"
    environment_file = text(desired, f"{DIRECTORY}/rabbitmq-env.conf")
    assert "NODENAME=rabbit@data1\n" in environment_file
    assert "-proto_dist inet_tls" in environment_file
    assert f"inet_dist_use_interface {{{ADDRESS.replace('.', ',')}}}" in environment_file
    distribution = text(desired, f"{DIRECTORY}/distribution.config")
    assert distribution.count("{verify, verify_peer}") == 2
    assert "{fail_if_no_peer_cert, true}" in distribution


def test_a_nodes_name_and_address_precede_its_package(tmp_path: Path) -> None:
    env = environment(tmp_path)
    early = {item.path for item in plan(env, env.host("data1")).early}
    assert {f"{DIRECTORY}/rabbitmq-env.conf", f"{DIRECTORY}/erl_inetrc", DROP_IN} < early


def test_no_node_starts_before_all_of_its_configuration_is_there(tmp_path: Path) -> None:
    env = environment(tmp_path)
    desired = plan(env, env.host("data1"))
    condition = re.search("ConditionPathExists=(.*)", text(desired, DROP_IN))
    assert condition
    assert condition[1] in {item.path for item in desired.files}
    assert condition[1] not in {item.path for item in desired.early}


def test_memory_and_disk_limits_follow_settings(tmp_path: Path) -> None:
    env = environment(tmp_path, memory_gib=24, rabbitmq_memory_percent=4, rabbitmq_disk_free_limit_mb=512)
    found = settings(text(plan(env, env.host("data1")), f"{DIRECTORY}/rabbitmq.conf"))
    assert found["vm_memory_high_watermark.absolute"] == str(24 * GIB * 4 // 100)
    assert found["disk_free_limit.absolute"] == "512MB"


def test_one_host_manages_the_cluster(tmp_path: Path) -> None:
    for without, speaker in (("", "data1"), ("data1", "data2")):
        env = environment(tmp_path, data=3, without=without)
        found = {host.name: plan(env, host).states for host in env.group("rabbitmq")}
        speakers = [name for name, states in found.items() if any("nodes" in state.items for state in states)]
        assert speakers == [speaker]
        assert all("nodes" in states[1].items for name, states in found.items() if name == speaker)
        there = ["rabbit@data2", "rabbit@data3"] if without else ["rabbit@data1", "rabbit@data2", "rabbit@data3"]
        assert found["data3"][0].context["there"] == there


def test_every_node_knows_its_peers_and_pauses_in_a_minority(tmp_path: Path) -> None:
    env = environment(tmp_path, data=3)
    desired = plan(env, env.host("data2"))
    names = text(desired, f"{DIRECTORY}/erl_inetrc")
    assert [f'{{10,9,0,{30 + n}}}, ["data{n}"]' in names for n in (1, 2, 3)] == [True] * 3
    assert settings(text(desired, f"{DIRECTORY}/rabbitmq.conf"))["cluster_partition_handling"] == "pause_minority"
    unit = next(unit for unit in desired.units if unit.name == UNIT)
    assert unit.restart_check == MAY_STOP
    cookies = {file(plan(env, host), COOKIE).data for host in env.group("rabbitmq")}
    assert len(cookies) == 1


def test_a_new_member_restarts_no_other(tmp_path: Path) -> None:
    found = []
    for data in (1, 3):
        env = environment(tmp_path, data=data)
        desired = plan(env, env.host("data1"))
        unit = next(unit for unit in desired.units if unit.name == UNIT)
        contents = {each.path: each.data for each in (*desired.early, *desired.files)}
        contents[COOKIE] = b"each of these environments has secrets of its own"
        found.append([{path: contents[path] for path in paths} for paths in (unit.restart_on, unit.reload_on)])
    (before, names), (after, more_names) = found
    assert before == after
    assert names != more_names


@pytest.mark.parametrize("data", [2, 4])
def test_a_number_of_nodes_without_redundancy_is_refused(tmp_path: Path, data: int) -> None:
    with pytest.raises(OperatorError, match=f"rabbitmq names {data} hosts"):
        notes(environment(tmp_path, data=data))
