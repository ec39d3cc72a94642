"""A run whose controller is killed leaves nothing that the next run does not put right.

Points are drawn with a seed over the roles and their changes, so the same points come up again.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from change_set import DEPTH, DEPTH_ELSE, HEAVY, LIGHT
from comparison import differences, of_any_build, stale
from conftest import Figure, whole
from control import Control, Outcome
from partition import out_of_reach

SEED = 43
POINTS, BATCH, POINTS_HEAVY, POINTS_BARE = 100, 10, 10, 5
CUT = 4  # one of so many points is a lost connection, and not a killed controller


@dataclass(frozen=True)
class Point:
    """Where a run is cut off: so long after the change of this number that a role announces."""

    role: str
    change: int
    delay: float

    def __str__(self) -> str:
        return f"{self.role}, change {self.change + 1}, {self.delay:.1f} s later"


def draw(outcome: Outcome, count: int) -> list[Point]:
    """Points within what an uninterrupted run did, as many roles as there are before any comes twice."""
    chance = random.Random(SEED)
    changes = Counter(change.split(":")[0] for change in outcome.changes)
    roles: list[str] = []
    while len(roles) < count:
        roles += chance.sample(sorted(changes), len(changes))
    places = [(role, chance.randrange(changes[role])) for role in roles[:count]]
    return [Point(*place, chance.uniform(0, DEPTH.get(place[0], DEPTH_ELSE))) for place in places]


def interrupted(
    control: Control, point: Point, data: dict[str, Any], other: dict[str, Any], cut: bool = False
) -> Outcome:
    """A run towards `data` that ends at the point; where it had ended by then, again from `other` and sooner."""
    for delay in (point.delay, point.delay / 4, 0):
        if cut:
            done = control.disturbed(point.role, point.change, delay, lambda _: out_of_reach(control), data=data)
        else:
            done = control.killed(point.role, point.change, delay, data=data)
        if done.status == -signal.SIGKILL:
            return done
        if done.status:
            assert cut, f"{point}: {done.end}"
            assert "connection" in done.output, f"{point}: {done.end}"
            return done
        control.converged(other)
    raise AssertionError(f"{point}: the run had always ended before it could be interrupted\n{done.end}")


@pytest.fixture
def settled(platform: Control) -> Iterator[Control]:
    """The converged lab, brought back to its own settings afterwards."""
    yield platform
    platform.converged()


def series(control: Control, changed: dict[str, Any], points: slice, what: str, figure: Figure) -> None:
    """Runs to the changed settings and back, each interrupted at one of the points and run again."""
    before = control.state()
    reference = control.converged(changed)
    figure(f"lab: {what}, uninterrupted", reference.seconds)
    after = control.state()
    targets: list[tuple[dict[str, Any], dict[str, Any]]] = [({}, before), (changed, after)]
    repaired = []
    for number, point in [*enumerate(draw(reference, POINTS))][points]:
        cut = number % CUT == CUT - 1
        print(f"{'cut off' if cut else 'killed'} at {point}")
        data, wanted = targets[(number - points.start) % 2]
        since = time.strftime("%Y-%m-%dT%H:%M:%S")
        done = interrupted(control, point, data, targets[(number - points.start + 1) % 2][0], cut)
        again = control.converged(data)
        state = control.state()
        assert differences(wanted, state) == [], f"{point}\n{done.end}\n{again.end}"
        assert stale(state) == [], point
        assert control.converged(data).changes == [], point
        told = control.run(deploy="deploys/history.py", data={"since": since}).output
        assert any(end in told for end in ("died before its end", *(["failed: "] if cut else []))), told
        repaired.append(again.seconds)
    figure(f"lab: {what}, points of interruption", len(repaired))
    figure(f"lab: {what}, longest run after one", max(repaired))


@pytest.mark.parametrize("batch", range(POINTS // BATCH))
def test_a_change_of_every_role_interrupted_and_run_again(
    settled: Control, full: bool, figure: Figure, batch: int
) -> None:
    if batch and not full:
        pytest.skip("a long series: make scenarios")
    first = batch * BATCH
    series(settled, LIGHT, slice(first, first + (BATCH if full else 1)), "a change of every role", figure)


def test_a_change_of_every_service_interrupted_and_run_again(settled: Control, full: bool, figure: Figure) -> None:
    """Engines restart, images get other names, all services roll."""
    if not full:
        pytest.skip("a long series: make scenarios")
    series(settled, HEAVY, slice(0, POINTS_HEAVY), "a change of every service", figure)


@pytest.fixture
def bare(pytestconfig: pytest.Config, full: bool) -> Iterator[tuple[Control, Outcome]]:
    """A box from nothing, converged without interruption, and taken down again."""
    if not full:
        pytest.skip("the long series runs with --full")
    if Control("box").exists():
        pytest.skip("box is up and this scenario takes it down: python -m roles.lab down box")
    yield from whole("box", pytestconfig)


def test_a_bare_host_killed_and_run_again(bare: tuple[Control, Outcome], figure: Figure) -> None:
    control, reference = bare
    assert reference.status == 0, reference.end
    figure("box: first run from a bare host, uninterrupted", reference.seconds)
    assert control.converged().changes == []
    wanted = control.state()
    control.renew()
    for point in growing(reference):
        killed = control.killed(point.role, point.change, point.delay)
        assert killed.status == -signal.SIGKILL, f"{point}: {killed.end}"
        figure(f"box: killed at {point}", killed.seconds)
    figure("box: run after the kills", control.converged().seconds)
    state = control.state()
    different = differences(of_any_build(wanted), of_any_build(state))
    assert not different, "\n".join(different)
    assert stale(state) == []
    assert control.converged().changes == []


def growing(outcome: Outcome) -> list[Point]:
    """Points ever later in a run, each at a role's first change: what a killed run left under way on the host
    may do all of that role, never anything of the next."""
    changes = [change.split(":")[0] for change in outcome.changes]
    points = sorted(draw(outcome, POINTS_BARE), key=lambda point: changes.index(point.role))
    return [Point(point.role, 0, point.delay) for point in points]
