"""Alerts on real hosts: a fault is set, a receiver is told of it in time, and told again once it is undone."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from alert_fault import PRIMARY, AlertFault
from alert_table import FAULTS
from conftest import Figure, whole
from control import Control
from database import Database
from fault import MONITORING, fault
from receiver import Key, Receiver, matches, receiver
from small_disk import small_disk

from nexus.provider import lab
from nexus.provider.lab.defaults import GATEWAY
from nexus.provider.lab.machine import wait_until
from roles.prometheus.limit import entries

SCALE = 0.1  # of every alert's duration
GRACE_SECONDS = 5
LATE_SECONDS = 30  # to tell a late alert from one that never comes
SWITCH_SECONDS = 120  # without a call a switch raises the alarm
NOTICED_SECONDS = 300
RESOLVED_SECONDS = 400  # a rate over five minutes forgets a fault after as long
RELEASED = "session-mgr"
BATCHES = sorted({one.batch for one in FAULTS})
DISK = "/srv/small"
KILLS = 20
DOUBLES_MAX = 1  # notifications that come twice
WAIT_SECONDS = 180
UNIT = "nexus-test-delivery-{}"


@pytest.fixture
def told(platform: Control) -> Iterator[tuple[Control, Receiver]]:
    """The lab with a receiver of its alerts and short durations; afterwards it is as planned."""
    with receiver(str(GATEWAY)) as found:
        data = {"alertmanager_webhook_urls": [found.url], "prometheus_duration_scale": SCALE}
        done = platform.run(deploy=MONITORING, data=data)
        assert done.status == 0, done.end
        try:
            yield platform, found
        finally:
            done = platform.run(deploy=MONITORING)
            assert done.status == 0, done.end


@pytest.mark.parametrize("batch", [pytest.param(one, marks=[pytest.mark.full] if one else []) for one in BATCHES])
def test_faults_are_told_and_resolved(told: tuple[Control, Receiver], batch: int, full: bool, figure: Figure) -> None:
    """Faults of one batch are set at the same time."""
    control, found = told
    chosen = [one for one in FAULTS if one.batch == batch]
    names = {one.alert for one in chosen}
    seconds, unresolved = _told(control, found, chosen)
    figure(f"alerts of batch {batch}: told of", f"{len(seconds)} of {len(names)}")
    figure(f"alerts of batch {batch}: resolved", f"{len(seconds) - len(unresolved)} of {len(names)}")
    assert (sorted(names - set(seconds)), unresolved) == ([], []), found.state()
    late = {name: over for name, over in seconds.items() if over > 0}
    assert not full or late == {}  # the sample shares its machine with whatever else runs there


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_the_dead_mans_switch_is_called_until_prometheus_stops(platform: Control, figure: Figure) -> None:
    with receiver(str(GATEWAY)) as found:
        done = platform.run(deploy=MONITORING, data={"alertmanager_watchdog_url": found.url})
        assert done.status == 0, done.end
        assert wait_until(lambda: len(found.messages) >= 3, 300, pause=1), "the switch is not called"
        gap = found.messages[-1].at - found.messages[-2].at
        assert gap < SWITCH_SECONDS, gap
        ops = platform.group("ops")
        stop = "systemctl stop prometheus"
        with ExitStack() as faults:
            for name in ops:
                faults.enter_context(fault(platform, name, stop, "systemctl start prometheus"))
            stopped = time.monotonic()
            silent = wait_until(lambda: time.monotonic() - found.messages[-1].at > SWITCH_SECONDS, 400, pause=1)
            assert silent, "the switch is still called"
        figure("alerts: the dead man's switch notices after", time.monotonic() - stopped)
        assert time.monotonic() - stopped < NOTICED_SECONDS
    assert platform.run(deploy=MONITORING).status == 0


def _told(control: Control, found: Receiver, batch: Sequence[AlertFault]) -> tuple[dict[str, float], list[str]]:
    """{alert: seconds over the time that it may take} of the alerts that were told of, and those not resolved."""
    places = [place(control, one) for one in batch]
    wanted = dict[str, Key]()
    for one, host in zip(batch, places, strict=True):
        wanted.setdefault(one.alert, (one.alert, one.concerns(host)))
    limits = {one.alert: limit(control, one.alert) + one.seconds for one in batch}
    began, set_at = time.monotonic(), dict[str, float]()

    def firing(alert: str) -> list[float]:
        return [one.at - set_at[alert] for one in found.of(wanted[alert], "firing") if one.at > began]

    def over(key: Key) -> bool:
        return all(status == "resolved" for other, status in found.state().items() if matches(other, key))

    with ExitStack() as faults:
        for one, host in zip(batch, places, strict=True):
            faults.enter_context(fault(control, host, one.begin, one.undo))
            set_at[one.alert] = time.monotonic()
        wait_until(lambda: all(map(firing, wanted)), max(limits.values()) + LATE_SECONDS, pause=1)
    seen = {alert: firing(alert)[0] for alert in wanted if firing(alert)}
    wait_until(lambda: all(over(wanted[alert]) for alert in seen), RESOLVED_SECONDS, pause=1)
    late = {alert: seconds - limits[alert] for alert, seconds in seen.items()}
    return late, [alert for alert in seen if not over(wanted[alert])]


def place(control: Control, one: AlertFault) -> str:
    """The host of a fault."""
    if isinstance(one.number, int):
        return control.group(one.group)[one.number]
    primary = Database(control).primary()
    return primary if one.number == PRIMARY else next(name for name in control.group(one.group) if name != primary)


def limit(control: Control, alert: str) -> float:
    """The longest time from a fault to its notification: its duration, two looks, the wait for others, some seconds."""
    operations = control.planned.catalogue.operations
    looks = 2 * max(operations.monitoring.scrape_interval_seconds, operations.alerts.evaluation_interval_seconds)
    wait = operations.alerts.routing.group_wait_seconds
    return entries(control.planned)[alert].for_seconds * SCALE + looks + wait + GRACE_SECONDS


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_a_full_disk_is_told(told: tuple[Control, Receiver], tmp_path: Path) -> None:
    control, found = told
    name = control.group("ops")[0]
    fill = f"for n in $(seq 60); do : >{DISK}/$n; done; dd if=/dev/zero of={DISK}/1 bs=1M || true"
    alerts = ("DiskSpaceLow", "InodesLow")
    with small_disk(control, name, DISK, tmp_path / "disk"):
        control.ssh(name, "sudo sh", fill)
        within = max(limit(control, alert) for alert in alerts)
        assert wait_until(lambda: all(found.of((alert, name), "firing") for alert in alerts), within, pause=1)
    over = wait_until(lambda: all(found.state()[alert, name] == "resolved" for alert in alerts), RESOLVED_SECONDS)
    assert over, found.state()


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_a_host_that_is_off_is_one_alert(told: tuple[Control, Receiver]) -> None:
    control, found = told
    name = control.group("app")[-1]
    control.host(name).kill()
    try:
        key = ("HostDown", name)
        assert wait_until(lambda: bool(found.of(key, "firing")), limit(control, "HostDown") + LATE_SECONDS, pause=1)
        assert found.of(("TargetDown", name), "firing") == []
    finally:
        lab.up(control.lab)
    assert wait_until(lambda: found.state()[key] == "resolved", RESOLVED_SECONDS, pause=1)


@pytest.mark.full
@pytest.mark.timeout(1200)
def test_runs_and_releases_are_quiet(told: tuple[Control, Receiver]) -> None:
    control, found = told
    control.converged()
    for release in ("1.0.1", "1.0.0"):
        data = {"services": RELEASED, "release": release, "build": "true"}
        done = control.run(deploy="deploys/release.py", data=data)
        assert done.status == 0, done.end
    time.sleep(limit(control, "HighErrorRate"))
    assert [one for one in found.messages if one.status == "firing"] == []


@pytest.fixture(scope="module")
def wide(pytestconfig: pytest.Config) -> Iterator[Control]:
    """The wide lab, with two ops hosts."""
    for control, outcome in whole("lab_wide", pytestconfig):
        assert outcome.status == 0, outcome.end
        yield control


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_a_killed_alertmanager_loses_and_repeats_nothing(wide: Control, chance: random.Random, figure: Figure) -> None:
    with receiver(str(GATEWAY)) as found:
        data = {"alertmanager_webhook_urls": [found.url], "prometheus_duration_scale": 0}
        done = wide.run(deploy="deploys/monitoring.py", data=data)
        assert done.status == 0, done.end
        counts = Counter(_round(wide, found, UNIT.format(number), chance) for number in range(KILLS))
    assert wide.run(deploy="deploys/monitoring.py").status == 0
    figure("alerts told of once, one of two Alertmanagers killed", f"{counts[1]} of {KILLS}")
    assert counts[0] == 0, counts
    assert KILLS - counts[1] <= DOUBLES_MAX, counts


def _round(wide: Control, found: Receiver, unit: str, chance: random.Random) -> int:
    """How often a failed unit was told of while an Alertmanager is killed at a random moment."""
    key, victim = ("UnitFailed", "app1"), chance.choice(wide.group("ops"))
    before = len(found.of(key, "firing"))
    resolved = len(found.of(key, "resolved"))
    kill = threading.Timer(
        chance.uniform(0, 60), wide.ssh, (victim, "sudo systemctl kill -s KILL prometheus-alertmanager")
    )
    wide.ssh("app1", f"sudo systemd-run --unit={unit} false")
    kill.start()
    wait_until(lambda: len(found.of(key, "firing")) > before, WAIT_SECONDS, pause=1)
    kill.join()
    wide.ssh("app1", f"sudo systemctl reset-failed {unit}")
    assert wait_until(lambda: len(found.of(key, "resolved")) > resolved, WAIT_SECONDS, pause=1), "never resolved"
    return len(found.of(key, "firing")) - before
