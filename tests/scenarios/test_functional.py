"""Healthy is not useful: services with their own code must do their work, and a service that cannot is named.

They run on the lab, with a stand-in for the shipped code of five services: the same drivers with the same settings.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import Figure
from control import PROJECT, Control, Outcome
from database import Database
from releases import images

sys.path.insert(0, str(PROJECT / "tests"))
from fixtures.checkout import WORKING, make_checkout

KNOWN = "known failure: its code opens MySQL, and this platform has none"
READING, ALL = len(WORKING), 2 * len(WORKING) - 1  # the gateway, which uses MySQL, has no check that writes
RELEASED = ",".join(WORKING)


@dataclass(frozen=True)
class Platform:
    """The lab with this code, and the outcome of the release that installed it."""

    control: Control
    code: Path
    first: Outcome

    def run(self, deploy: str, **data: Any) -> Outcome:
        return self.control.run(deploy=f"deploys/{deploy}.py", data={"image_source": str(self.code), **data})

    def release(self, services: str) -> Outcome:
        """A new release, built from the code."""
        return self.run("release", services=services, release=f"9.2.{uuid.uuid4().int % 10**9}", build=True)


@pytest.fixture(scope="module")
def platform(control: Control, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Five services released with their own code; the release is rolled back afterwards."""
    code = make_checkout(tmp_path_factory.mktemp("code") / "platform", control.planned.catalogue, WORKING)
    before = images(control)
    released = Platform(control, code, Platform(control, code, Outcome(0, "", 0)).release(RELEASED))
    yield released
    back = control.run(deploy="deploys/rollback.py", data={"services": RELEASED})
    assert back.status == 0, back.end
    assert images(control) == before
    control.converged()
    assert control.converged().changes == []


def test_a_release_passes_its_checks_that_write_too(platform: Platform, figure: Figure) -> None:
    assert platform.first.status == 0, platform.first.end
    figure("functional: five services released with their own code and checked", platform.first.seconds)


def test_checks_run_each_time_and_write_after_a_change(platform: Platform) -> None:
    settled = platform.run("full")
    assert settled.status == 0, settled.end
    assert settled.output.count(KNOWN) == 1, settled.end
    again = platform.run("full")
    assert (again.status, again.changes) == (0, []), again.end
    assert f"{READING - 1}/{READING} functional checks pass, 1 known to fail" in again.output, again.end
    changed = platform.run("full", service_environment_of={"invoice-gen": {"FLAG": "on"}})
    assert changed.status == 0, changed.end
    assert f"{READING}/{READING + 1} functional checks pass, 1 known to fail" in changed.output, changed.end


def test_checks_that_write_run_when_they_are_asked_for(platform: Platform) -> None:
    done = platform.run("verify", functional="full")
    assert done.status == 0, done.end
    assert f"{ALL - 1}/{ALL} functional checks pass" in done.output, done.end


def test_a_healthy_service_that_cannot_work_is_named(platform: Platform) -> None:
    control = platform.control
    primary = Database(control).primary()

    def rename(old: str, new: str) -> None:
        sql = f"alter table {old} rename to {new}"
        control.ssh(primary, f"cd / && sudo -u postgres psql -Xqd ledger_mgr -h /run/postgresql -c '{sql}'")

    rename("ledger_entries", "away")
    try:
        done = platform.run("verify", functional_timeout_seconds=3)
        assert done.status != 0, done.end
        assert "43/43 services healthy" in done.output, done.end
        assert "ledger-mgr: an account without entries has balance 0: functional check failed: GET " in done.output
        assert 'answers 500 {"error":"relation \\"ledger_entries\\" does not exist"}: expected 200' in done.output
        told = platform.run("status")
        assert told.status != 0, told.end
        assert "missed: services functional checks: ledger-mgr: an account without entries" in told.output, told.end
        assert KNOWN in told.output
    finally:
        rename("away", "ledger_entries")
    done = platform.run("verify")
    assert done.status == 0, done.end


@pytest.mark.full
def test_a_healthy_release_that_does_not_work_goes_back(platform: Platform) -> None:
    name = "session-mgr"
    entry = platform.code / "services" / name / "src/index.js"
    good, before = entry.read_text(), images(platform.control)[name]
    entry.write_text(good.replace("JSON.parse(text)", "{}"))
    try:
        done = platform.release(name)
    finally:
        entry.write_text(good)
    assert done.status != 0, done.end
    assert f'{name} did not get through: its functional check "a session is created, read and deleted"' in done.output
    assert "mark is missing, expected" in done.output, done.end
    assert images(platform.control)[name] == before
