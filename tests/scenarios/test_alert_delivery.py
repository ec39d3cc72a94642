"""Two Alertmanagers, one of them killed again and again: every alert is told of, and told of once."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from conftest import Figure, whole
from control import Control
from receiver import Receiver, receiver

from nexus.provider.lab.defaults import GATEWAY
from nexus.provider.lab.machine import wait_until

KILLS = 20
DOUBLES_MAX = 1
WAIT_SECONDS = 180
UNIT = "nexus-test-delivery-{}"

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def wide(pytestconfig: pytest.Config) -> Iterator[Control]:
    """The wide lab, with two ops hosts."""
    for control, outcome in whole("lab_wide", pytestconfig):
        assert outcome.status == 0, outcome.end
        yield control


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
