"""apt by itself: security updates alone, never daemons that restart in order, no reboot, no restart."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nexus.cli.locked_run import tell_unfinished
from nexus.environment.environment import Environment
from nexus.plan.desired import Desired
from nexus.run.checks import Found
from roles.apt import daily
from roles.apt.host import metrics, pending, state
from roles.apt.host.daily import PARTS
from roles.apt.host.pending import Update
from roles.apt.plan import CONFIG, RESTARTS, TIMERS, in_order, plan
from roles.table import ROLES
from runbooks.update.host import packages
from tests.plan.alert_cases import HOSTS
from tests.plan.environments import environment

LISTED = """\
NOTE: This is only a simulation!
Inst openssl [3.5.1-1] (3.5.1-1+deb13u1 Debian-Security:13/stable-security [amd64]) []
Inst libssl3t64 [3.5.1-1] (3.5.1-1+deb13u1 Debian-Security:13/stable-security, Debian:13.2/stable [amd64])
Inst postgresql-17 [17.5-1] (17.6-0+deb13u1 Debian:13.2/stable [amd64])
Inst linux-image-6.12.48+deb13-amd64 (6.12.48-1 Debian-Security:13/stable-security [amd64])
Inst toy [1] (2 localhost [all])
Conf openssl (3.5.1-1+deb13u1 Debian-Security:13/stable-security [amd64])
"""
# Roles whose packages may restart at any time: each host has its own daemon, and no other host waits for it.
ALONE = {"base", "exporter", "prometheus", "alertmanager", "grafana", "elk", "log_store", "firewall"}


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    """Without MongoDB: its packages are signed with a key that a checkout does not have."""
    return environment(tmp_path, {name: groups.replace(" mongodb", "") for name, groups in HOSTS.items()})


def planned(directory: Path, on: bool) -> Desired:
    env = environment(directory, apt_security_updates=on)
    return plan(env, env.host("app1"))


def dumped(directory: Path, on: bool) -> str:
    (config,) = planned(directory, on).early
    path = directory / "apt.conf"
    path.write_bytes(config.data)
    return subprocess.run(
        ["apt-config", "dump", "--config-file", str(path)],
        env={**os.environ, "APT_CONFIG": str(path)}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def test_without_the_setting_no_timer_runs(tmp_path: Path) -> None:
    found = planned(tmp_path, on=False)
    assert [(unit.name, unit.enabled, unit.running) for unit in found.units] == [(n, False, False) for n in TIMERS]
    assert found.packages == ()


def test_the_configuration_is_there_before_the_package(tmp_path: Path) -> None:
    found = planned(tmp_path, on=True)
    assert [file.path for file in found.early] == [CONFIG]
    assert found.packages == ("unattended-upgrades",)
    assert all(unit.enabled and unit.running for unit in found.units)


@pytest.mark.skipif(not shutil.which("apt-config"), reason="needs apt")
@pytest.mark.parametrize("on", [True, False])
def test_apt_reads_the_configuration(tmp_path: Path, on: bool) -> None:
    text = dumped(tmp_path, on)
    assert f'APT::Periodic::Unattended-Upgrade "{int(on)}";' in text
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in text
    origins = re.findall(r'^Unattended-Upgrade::Origins-Pattern:: "(.*)";$', text, re.MULTILINE)
    assert origins == ["origin=Debian,codename=${distro_codename}-security,label=Debian-Security"]
    left_out = re.findall(r'^Unattended-Upgrade::Package-Blacklist:: "(.*)";$', text, re.MULTILINE)
    assert left_out == [f"^{pattern}$" for pattern in in_order()]


@pytest.mark.skipif(not shutil.which("perl"), reason="needs Perl")
def test_needrestart_can_read_its_file(tmp_path: Path) -> None:
    (file,) = (file for file in planned(tmp_path, on=False).files if file.path == RESTARTS)
    program = f"our %nrconf; {file.data.decode()} print $nrconf{{restart}};"
    assert subprocess.run(["perl", "-we", program], capture_output=True, text=True, check=True).stdout == "l"


def test_daemons_that_restart_in_order_are_left_out(env: Environment) -> None:
    """Of every role, the packages that bring a unit which the role starts."""
    checked = set()
    for host in env.hosts:
        for role in set(ROLES.of(host)) - ALONE:
            found = ROLES.plan(role)(env, host)
            written = {file.path.rpartition("/")[2] for file in (*found.early, *found.files)}
            units = [unit.name if "." in unit.name else f"{unit.name}.service" for unit in found.units if unit.running]
            if found.packages and [unit for unit in units if unit not in written and unit.endswith(".service")]:
                checked.add(role)
                assert ROLES.in_order(role), f"{role}: name {', '.join(found.packages)} in IN_ORDER of its plan.py"
    assert {"postgresql", "etcd", "redis", "rabbitmq", "proxy", "docker", "nginx"} <= checked


WAITING = (
    *("postgresql-17", "patroni", "etcd-server", "redis-server", "rabbitmq-server", "erlang-base", "haproxy"),
    *("pgbouncer", "docker.io", "containerd", "runc", "nginx", "docker-registry"),
)


@pytest.mark.parametrize("name", WAITING)
def test_a_package_waits_for_its_turn(name: str) -> None:
    assert pending.waits(name, in_order())


@pytest.mark.parametrize("name", ["openssl", "linux-image-amd64", "openssh-server", "libssl3t64"])
def test_a_package_does_not_wait(name: str) -> None:
    assert not pending.waits(name, in_order())


def test_updates_are_read_from_apt() -> None:
    assert [(one.name, one.old, one.new, one.security) for one in pending.parsed(LISTED.splitlines())] == [
        ("openssl", "3.5.1-1", "3.5.1-1+deb13u1", True),
        ("libssl3t64", "3.5.1-1", "3.5.1-1+deb13u1", True),
        ("postgresql-17", "17.5-1", "17.6-0+deb13u1", False),
        ("toy", "1", "2", False),
    ]


def test_metrics_count_updates_by_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "pending", lambda: list(pending.parsed(LISTED.splitlines())))
    found = {
        (labels["security"], labels["in_order"]): value
        for name, labels, value in metrics.samples(["on", *in_order()])
        if name == "nexus_pending_updates"
    }
    assert found == {("true", "false"): 2, ("false", "true"): 1, ("false", "false"): 1, ("true", "true"): 0}


@pytest.mark.parametrize(
    ("by_itself", "package", "missed"), [(True, "openssl", False), (True, "haproxy", True), (False, "openssl", True)]
)
def test_updates_that_wait_for_a_person_are_told(tmp_path: Path, by_itself: bool, package: str, missed: bool) -> None:
    updates = [asdict(Update(package, "1", "2", True)), asdict(Update("toy", "1", "2", False))]
    seen = {"app1": {"updates": {"updates": updates, "reboot": []}}}
    found = Found(environment(tmp_path, apt_security_updates=by_itself), {}, seen, {}, 0.0)
    assert [(row.what, row.value, row.missed) for row in daily.updates(found)] == [
        ("app1", f"{package}; 1 other updates", missed)
    ]
    assert [(row.what, row.missed) for row in daily.reboots(found)] == [("all hosts", False)]


def test_the_daily_check_and_an_update_tell_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "run", lambda argv, timeout: LISTED)
    monkeypatch.setattr(pending, "reboot_reasons", lambda: ["reboot-required"])
    told = PARTS["updates"]({})
    assert [one["name"] for one in told["updates"]] == ["openssl", "libssl3t64", "postgresql-17", "toy"]
    monkeypatch.setattr(packages, "fetched", time.time)
    context = {"fresh": 3600, "record": str(tmp_path / "none")}
    assert packages.look(context) == {**told, "stale": "", "record": {}}


def test_lists_have_the_age_of_the_last_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = tmp_path / "stamp"
    monkeypatch.setattr(metrics, "FETCHED", (str(stamp),))
    assert metrics.fetched() == 0
    stamp.touch()
    assert abs(metrics.fetched() - time.time()) < 60


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ("", ""),
        ('{"step": "done", "at": "now"}', ""),
        ('{"step": "waits", "at": "now"}', ""),
        ('{"step": "update", "at": "10:00", "drained": true}', "has not ended; the host was drained"),
    ],
)
def test_an_unfinished_update_is_told(tmp_path: Path, record: str, told: str) -> None:
    path = tmp_path / "update.json"
    path.write_text(record)
    found = state.probe(["update"], {"record": str(path)})["update"]
    assert told in found.get("told", "")
    assert bool(told) == ("told" in found)


@pytest.mark.parametrize(("converged", "lines"), [({"apt"}, []), ({"swarm"}, [("app1", "began and has not ended")])])
def test_runs_about_something_else_tell_it_too(env: Environment, converged: set[str], lines: list[Any]) -> None:
    notes = list[Any]()
    answer = {"states": {"update": {"items": {"update": {"unfinished": "began and has not ended"}}}}}
    hosts = SimpleNamespace(
        roles=lambda name: ["base", "apt"],
        plan=lambda name, role, asking: ROLES.plan(role)(env, env.host(name)),
        answer=lambda name: answer,
    )
    run: Any = SimpleNamespace(
        hosts=hosts, planned={"app1": converged}, outcome=SimpleNamespace(note=lambda *found: notes.append(found))
    )
    tell_unfinished(run, ["app1"])
    assert notes == lines
