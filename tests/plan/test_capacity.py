"""Sizes of services in an environment, and whether they fit on its hosts."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from nexus.catalogue import defaults, load
from nexus.catalogue.packing import Room, unplaced
from nexus.catalogue.size import GIB, Scale, asked, size
from roles.service import capacity
from roles.service.capacity import check
from roles.service.machine import Machine, machine_of
from tests.plan.fake_run import StandIn

APP = frozenset({"all", "app"})
SMALL = {"service_replicas_max": 1, "service_cpu_scale": 0, "service_memory_scale": 1 / 16, "service_gpu": False}


def app_hosts(count: int, cpus: float, memory_gib: float, gpus: int = 0) -> list[Machine]:
    return [Machine(f"app{n}", APP, cpus, int(memory_gib * GIB), gpus) for n in range(1, count + 1)]


def texts(report) -> list[str]:
    return [str(finding) for finding in report.findings]


# sizes


def test_full_size_is_the_catalogue_as_written():
    total = asked(load(), Scale.of({}))
    assert (total.replicas, total.cpu_millicores, total.memory_bytes, total.gpus) == (113, 102_000, 204 * GIB, 6)


def test_scaled_replicas_are_rounded_up_to_at_least_one():
    service = load().service("streaming-service-v2")
    assert size(service, Scale.of({"service_replica_scale": 0.5})).replicas == 3
    assert size(service, Scale.of({"service_replica_scale": 0.01})).replicas == 1
    assert size(service, Scale.of({"service_replica_scale": 0.2})).replicas == 1
    assert size(service, Scale.of({"service_replicas_max": 2})).replicas == 2


def test_number_named_for_a_service_wins():
    settings = {"service_replicas_max": 1, "service_replicas": {"auth-service": 2}}
    assert size(load().service("auth-service"), Scale.of(settings)).replicas == 2
    assert size(load().service("user-auth"), Scale.of(settings)).replicas == 1


def test_memory_has_a_floor_and_cpu_may_be_nothing():
    own = size(load().service("session-mgr"), Scale.of({**SMALL, "service_memory_scale": 0.001}))
    assert own.memory_bytes == defaults.service_memory_min_bytes
    assert own.cpu_millicores == 0


# capacity


def test_full_size_fits_on_hosts_large_enough_even_with_one_gone():
    report = check(load(), {}, app_hosts(6, cpus=32, memory_gib=64, gpus=2))
    assert texts(report) == []
    assert report.asked.replicas == 113
    assert report.available.memory_bytes == 6 * 63 * GIB


def test_missing_capacity_is_named_with_figures_and_remedy():
    report = check(load(), {}, app_hosts(3, cpus=16, memory_gib=64))
    (error,) = report.errors
    assert error.where == "app1, app2, app3"
    assert "CPU: 102 cores requested, 46.5 available" in error.message
    assert "memory: 204 GiB requested, 189 available" in error.message
    assert "GPUs: 6 requested, 0 available" in error.message
    assert "service_gpu = False" in error.message


def test_loss_of_a_host_that_would_not_be_carried_is_a_warning():
    report = check(load(), {"service_gpu": False}, app_hosts(3, cpus=40, memory_gib=80))
    assert report.errors == ()
    losses = [f for f in report.findings if f.where.startswith("without ")]
    assert [f.where for f in losses] == ["without app1", "without app2", "without app3"]
    assert "CPU: 102 cores requested, 79 available" in losses[0].message


def test_loss_counts_for_the_large_host_only():
    hosts = [*app_hosts(2, cpus=32, memory_gib=64), Machine("big", APP, 100, 200 * GIB)]
    report = check(load(), {"service_gpu": False}, hosts)
    assert [f.where for f in report.findings if f.where.startswith("without")] == ["without big"]


def test_sums_that_fit_where_no_single_host_does():
    report = check(load(), {"service_gpu": False}, app_hosts(80, cpus=1.9, memory_gib=8))
    (error,) = report.errors
    assert "the totals fit, but no host has room" in error.message
    assert "streamcore" in error.message


def test_single_app_host_is_pointed_out():
    report = check(load(), SMALL, app_hosts(1, cpus=2, memory_gib=24))
    assert any("is the only app host" in text for text in texts(report))
    assert report.errors == ()


def test_hosts_of_one_machine_share_its_memory():
    apart = check(load(), SMALL, app_hosts(3, cpus=2, memory_gib=6))
    together = check(load(), {**SMALL, "capacity_shared": True}, app_hosts(3, cpus=2, memory_gib=6))
    assert apart.available.memory_bytes == 15 * GIB
    assert together.available.memory_bytes == 3 * GIB
    assert together.available.cpu_millicores == 1500
    assert [e.where for e in together.errors] == ["app1, app2, app3"]
    # losing a host neither frees nor takes resources of the shared machine
    assert not any(f.where.startswith("without") for f in together.findings)


def test_shared_machine_also_carries_the_other_hosts():
    hosts = [*app_hosts(3, cpus=2, memory_gib=24), Machine("data1", frozenset({"data"}), 2, 24 * GIB)]
    report = check(load(), {**SMALL, "capacity_shared": True}, hosts)
    assert report.available.memory_bytes == 20 * GIB
    assert report.errors == ()


def test_stores_on_an_app_host_keep_their_memory():
    groups = APP | {"postgresql", "redis", "ops"}
    report = check(load(), SMALL, [Machine("box1", groups, 2, 24 * GIB)])
    assert report.available.memory_bytes == (24 - 1 - 2) * GIB


def test_environment_without_app_hosts():
    report = check(load(), {}, [Machine("data1", frozenset({"data"}), 8, 32 * GIB)])
    (error,) = report.errors
    assert "add a host to the group app" in error.message


# GPUs


def test_services_that_run_without_their_gpu_are_named():
    report = check(load(), SMALL, app_hosts(2, cpus=2, memory_gib=24))
    (warning,) = [f for f in report.findings if "GPU" in f.message]
    assert warning.severity == "warning"
    assert set(warning.where.split(", ")) == {"kei-ai", "ai-service"}


def test_gpus_may_be_counted_by_their_device_files():
    machine = Machine("app1", APP, 8, GIB, devices=("/dev/nvidia0", "/dev/nvidia1", "/dev/nvidiactl", "/dev/sda"))
    assert machine.gpu_count == 2


def test_gpus_on_the_wrong_hosts_do_not_help():
    hosts = [*app_hosts(6, cpus=40, memory_gib=80), Machine("data1", frozenset({"data"}), 8, GIB, gpus=8)]
    (error,) = check(load(), {}, hosts).errors
    assert "GPUs: 6 requested, 0 available" in error.message


def test_replicas_that_need_a_gpu_find_it_free():
    rooms = [Room("plain", 4000, 4 * GIB, 0), Room("gpu", 4000, 4 * GIB, 1)]
    tasks = [Room("web", 1000, GIB, 0)] * 4 + [Room("model", 1000, 4 * GIB, 1)]
    assert unplaced(tasks, rooms) == []
    assert unplaced([*tasks, Room("model", 1000, GIB, 1)], rooms) == ["model"]


# settings


@pytest.mark.parametrize(
    ("settings", "where", "words"),
    [
        ({"service_replicas": {"glich": 2}}, "service_replicas", "did you mean 'glitch'?"),
        ({"service_replicas": {"glitch": 0}}, "service_replicas", "services_excluded"),
        ({"service_replicas": {"glitch": True}}, "service_replicas", "set 1 or more"),
        ({"service_replica_scale": 0}, "service_replica_scale", "leaves nothing"),
        ({"service_memory_scale": -1}, "service_memory_scale", "leaves nothing"),
        ({"service_cpu_scale": -0.5}, "service_cpu_scale", "below zero"),
        ({"service_replicas_max": -1}, "service_replicas_max", "below zero"),
    ],
)
def test_invalid_settings_of_size(settings, where, words):
    report = check(load(), settings, app_hosts(6, cpus=40, memory_gib=80))
    (error,) = report.errors
    assert error.where == where
    assert words in error.message


# environments


@dataclass
class Inventory(StandIn):
    """The parts of an environment that capacity reads, without an inventory file."""

    hosts: tuple[SimpleNamespace, ...]
    setting: dict[str, object] = field(default_factory=dict)
    catalogue: object = field(default_factory=load)


def inventory_host(name: str, traits=None, **stated):
    figures = {"capacity_cpus": 0, "capacity_memory_bytes": 0, "capacity_gpus": 0, **stated}
    return SimpleNamespace(name=name, groups=APP, setting=SimpleNamespace(**figures), traits=traits)


def test_figures_come_from_the_host_or_from_the_inventory():
    traits = SimpleNamespace(cpus=4, memory_bytes=8 * GIB, gpus=1)
    asked_host = machine_of(inventory_host("app1", traits))
    stated = machine_of(inventory_host("app2", traits, capacity_cpus=64, capacity_memory_bytes=256 * GIB))
    assert asked_host is not None
    assert stated is not None
    assert (asked_host.cpus, asked_host.memory_bytes, asked_host.gpu_count) == (4, 8 * GIB, 1)
    assert (stated.cpus, stated.memory_bytes, stated.gpu_count) == (64, 256 * GIB, 0)


def test_unknown_host_figures_give_a_warning():
    report = capacity.of_environment(Inventory((inventory_host("app1"),)))
    assert report.asked.replicas == 113
    assert texts(report) == [
        "warning: app1: its figures are unknown, so nothing was checked; set capacity_cpus and capacity_memory_bytes"
    ]


def test_environment_whose_hosts_are_known_is_checked():
    hosts = tuple(inventory_host(f"app{n}", SimpleNamespace(cpus=4, memory_bytes=8 * GIB, gpus=0)) for n in (1, 2))
    assert capacity.of_environment(Inventory(hosts)).errors
    assert not capacity.of_environment(Inventory(hosts, dict(SMALL))).errors
