"""Certificates that live for minutes, without any run: hosts renew them automatically, under load."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from broker import Broker
from conftest import Figure
from control import Control
from database import Database
from http_load import Requests
from load import Load
from redis_writes import Writes, loss
from served import Served

from nexus.provider.lab.machine import wait_until
from roles.certificate.door import Door
from roles.certificate.status import all_doors

PERIOD_SECONDS, LIFETIME_SECONDS = 90, 270
DATA = {"certificate_period_seconds": PERIOD_SECONDS, "certificate_prepared_days": 0.1}
FULL_SECONDS, SAMPLE_SECONDS = 5 * LIFETIME_SECONDS, 150
PAUSE_SECONDS = 0.5  # of each writer: the writes of half an hour are all verified
LOOK_SECONDS = 5
START_SECONDS = 30  # time within which a host renews: two periods of its timer, and clocks that may differ
REREAD_SECONDS = 120  # time within which RabbitMQ reads a new certificate
SILENT_LOOKS = 3
SETTLED_SECONDS = 120
BOOT_SECONDS = 180

Asked = tuple[str, Door]


@dataclass
class Watch:
    """What every port of every host showed, each time it was asked."""

    control: Control
    shown: dict[Asked, dict[int, float]] = field(default_factory=dict)  # serial number -> least seconds left
    silent: dict[Asked, int] = field(default_factory=dict)  # consecutive looks without an answer
    longest: dict[Asked, int] = field(default_factory=dict)
    asked: int = 0

    def __post_init__(self) -> None:
        env = self.control.planned
        self.served = Served(self.control)
        self.doors = [(host.name, door) for host in env.hosts for door in all_doors(env, host)]

    def keep_looking(self, seconds: float) -> None:
        """Keep looking for this long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            self.look()
            time.sleep(max(0.0, min(end, began + LOOK_SECONDS) - time.monotonic()))

    def look(self) -> None:
        """Ask every port once."""
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(self._ask, self.doors))

    def _ask(self, asked: Asked) -> None:
        self.asked += 1
        try:
            certificate = self.served.ask(asked[1])
        except OSError:
            self.silent[asked] = self.silent.get(asked, 0) + 1
            self.longest[asked] = max(self.longest.get(asked, 0), self.silent[asked])
            return
        self.silent[asked] = 0
        left = (certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)).total_seconds()
        known = self.shown.setdefault(asked, {})
        known[certificate.serial_number] = min(left, known.get(certificate.serial_number, left))

    @property
    def least_left(self) -> tuple[float, str]:
        """The least time that any certificate had left when it was shown, and the port that showed it."""
        return min((min(known.values()), f"{host} {door}") for (host, door), known in self.shown.items())

    def changes(self) -> dict[Asked, int]:
        """How often each port changed its certificate."""
        return {asked: len(known) - 1 for asked, known in self.shown.items()}


@pytest.fixture(scope="module")
def short_lived(control: Control) -> Iterator[Control]:
    """Certificates that live for minutes; afterwards long-lived ones again."""
    try:
        control.converged(DATA)
        yield control
    finally:
        control.converged()
        again = control.converged()
        assert again.changes == [], again.changes


def test_certificates_are_renewed_under_load_without_a_run(short_lived: Control, full: bool, figure: Figure) -> None:
    control, seconds = short_lived, FULL_SECONDS if full else SAMPLE_SECONDS
    watch, broker, writes = Watch(control), Broker(control, pause=PAUSE_SECONDS), Writes(control)
    broker.declare()
    load = Load(control, seconds + LIFETIME_SECONDS)
    load.asked["pause"] = PAUSE_SECONDS
    requests = Requests(control, "/api/sessions/", "session-mgr", rate=20, reloads=True)
    with load, requests, ThreadPoolExecutor(1) as pool:
        redis = writes.begin(pool, seconds, pause=PAUSE_SECONDS)
        broker.publish(3)
        try:
            watch.keep_looking(seconds)
        finally:
            broker.stop()
        stored = redis.result()
    written, drained = load.written(), broker.drain()
    messages = [name for name, _ in broker.confirmed if name not in drained]
    lost = {"PostgreSQL": load.lost(written), "Redis": loss(writes, stored), "RabbitMQ": messages}
    tell(figure, watch, requests, len(written.acknowledged), len(stored["acknowledged"]), len(broker.confirmed))
    assert not requests.failed, requests.told()
    assert requests.not_once == {}
    assert lost == {"PostgreSQL": [], "Redis": [], "RabbitMQ": []}
    assert (written.errors, written.doubtful, stored["refusals"]) == ({}, [], {})
    assert set(watch.shown) == set(watch.doors)
    assert watch.least_left[0] > 0, watch.least_left
    few = {asked: count for asked, count in watch.changes().items() if count < least_changes(asked[1], seconds)}
    assert not few, few
    assert max(watch.longest.values(), default=0) < SILENT_LOOKS, watch.longest
    assert wait_until(lambda: not missed(control), SETTLED_SECONDS, pause=5), missed(control)


def least_changes(door: Door, seconds: int) -> int:
    """The least number of certificate changes of a port after this many seconds."""
    period, late = PERIOD_SECONDS, START_SECONDS
    if door.daemon == "rabbitmq":
        period, late = max(period, REREAD_SECONDS), late + REREAD_SECONDS
    return max(0, (seconds - PERIOD_SECONDS - late) // period + 1)


def tell(figure: Figure, watch: Watch, requests: Requests, *acknowledged: int) -> None:
    """Keep the measurements."""
    figure("certificates: requests during the test", len(requests.answered))
    figure("certificates: failed requests", len(requests.failed))
    figure("certificates: writes to PostgreSQL, Redis, RabbitMQ", " / ".join(map(str, acknowledged)))
    figure("certificates: ports, and times they were asked", f"{len(watch.doors)}, {watch.asked}")
    figure("certificates: fewest changes of a port", min(watch.changes().values()))
    figure("certificates: least time left of a shown certificate", watch.least_left[0])


def missed(control: Control) -> dict[str, Any]:
    """Status lines about certificates that miss their target; there is one line for each host."""
    done = control.run(deploy="deploys/status.py", data={**DATA, "format": "json"})
    text = done.output[done.output.index("{\n") : done.output.rindex("\n}") + 2]
    lines = {line["what"]: line for line in json.loads(text)["lines"] if line["area"] == "certificates"}
    assert set(control.names) <= set(lines), done.end
    assert all("prepared for" in lines[name]["value"] for name in control.names)
    return {name: line for name, line in lines.items() if line["missed"]}


def test_a_host_that_was_off_for_longer_than_a_lifetime(short_lived: Control, full: bool, figure: Figure) -> None:
    """The host renews before its daemons start: no daemon ever shows an expired certificate."""
    if not full:
        pytest.skip("with --full")
    control, name = short_lived, short_lived.group("postgresql")[-1]
    control.host(name).poweroff()
    try:
        time.sleep(LIFETIME_SECONDS + PERIOD_SECONDS)  # the wait is the test: the host's certificates expire meanwhile
    finally:
        control.host(name).start()
    began, watch = time.monotonic(), Watch(control)
    watch.doors = [asked for asked in watch.doors if asked[0] == name]

    def all_there() -> bool:
        watch.look()
        return set(watch.shown) == set(watch.doors)

    assert wait_until(all_there, BOOT_SECONDS, pause=0.2), set(watch.doors) - set(watch.shown)
    figure("certificates: host off for longer than they live, until all its ports answer", time.monotonic() - began)
    assert watch.least_left[0] > 0, watch.least_left
    Database(control).wait_whole()
    control.wait_healthy(BOOT_SECONDS)
