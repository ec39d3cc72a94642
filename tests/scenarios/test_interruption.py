"""The next run repairs everything that a run with a killed controller leaves behind.

Points are drawn with --seed from the roles and their changes, so the same seed gives the same points.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from change_set import DEPTH, DEPTH_ELSE, DEPTH_HEAVY, HEAVY, LIGHT, ONCE
from comparison import differences, of_any_build, stale
from conftest import Figure, whole
from control import Control, Outcome
from partition import out_of_reach

POINTS, BATCH, POINTS_HEAVY, POINTS_BARE = 100, 10, 10, 5
CUT = 4  # one in this many points is a lost connection, not a killed controller


@dataclass(frozen=True)
class Point:
    """Where a run is interrupted: this long after a role announces its change with this number."""

    role: str
    change: int
    delay: float

    def __str__(self) -> str:
        return f"{self.role}, change {self.change + 1}, {self.delay:.1f} s later"


def draw(chance: random.Random, outcome: Outcome, count: int, depth: Mapping[str, float]) -> list[Point]:
    """Points within an uninterrupted run; every role has a point before any role has two."""
    changes = of_roles(outcome)
    roles: list[str] = []
    while len(roles) < count:
        roles += chance.sample(sorted(changes), len(changes))
    places = [(role, chance.randrange(changes[role])) for role in roles[:count]]
    return [Point(*place, chance.uniform(0, depth.get(place[0], DEPTH_ELSE))) for place in places]


def of_roles(outcome: Outcome) -> Counter[str]:
    """{role: number of announced changes}, of the roles that change something every time."""
    return Counter(role for role in (change.split(":")[0] for change in outcome.changes) if role not in ONCE)


def interrupted(
    control: Control, point: Point, data: dict[str, Any], other: dict[str, Any], cut: bool = False
) -> Outcome:
    """A run towards `data`, interrupted at the point; if it ended before the point, again from `other` and sooner."""
    change = point.change
    for delay in (point.delay, point.delay / 4, 0):
        if cut:
            done = control.disturbed(point.role, change, delay, lambda _: out_of_reach(control), data=data)
        else:
            done = control.killed(point.role, change, delay, data=data)
        if done.status == -signal.SIGKILL:
            return done
        if done.status:
            assert cut, f"{point}: {done.end}"
            assert "connection" in done.output, f"{point}: {done.end}"
            assert "Traceback" not in done.output, f"{point}: {done.output}"
            return done
        made = of_roles(done)[point.role]
        assert made, f"{point}: on the way to {data or 'its own settings'} this role changes nothing"
        change = min(change, made - 1)  # the way back may have fewer changes
        control.converged(other)
    raise AssertionError(f"{point}: the run had always ended before it could be interrupted\n{done.end}")


def numbers(text: str) -> list[int]:
    """The points that the operator names: "7-9,26" names four."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not first.strip().isdigit() or (last and not last.strip().isdigit()):
            raise pytest.UsageError(f"--points {text}: {part!r} is not the number of a point or a range such as 7-9")
        found += range(int(first), int(last or first) + 1)
    if [number for number in found if number >= POINTS]:
        raise pytest.UsageError(f"--points {text}: the points are 0 to {POINTS - 1}")
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The long series in batches, or the requested points, or only the first point."""
    if "batch" not in metafunc.fixturenames:
        return
    text, full = metafunc.config.getoption("--points"), metafunc.config.getoption("--full")
    if text:
        metafunc.parametrize("batch", [numbers(text)], ids=[text])
    else:
        batches = [[*range(first, first + BATCH)] for first in range(0, POINTS, BATCH)] if full else [[0]]
        metafunc.parametrize("batch", batches, ids=[f"{batch[0]}-{batch[-1]}" for batch in batches])


@pytest.fixture
def settled(platform: Control) -> Iterator[Control]:
    """The converged lab; its own settings are restored afterwards."""
    yield platform
    platform.converged()


def series(
    control: Control,
    changed: dict[str, Any],
    batch: Sequence[int],
    what: str,
    figure: Figure,
    chance: random.Random,
    depth: Mapping[str, float] = DEPTH,
) -> None:
    """Runs to the changed settings and back, each interrupted at one of the points and then repeated.

    A failed point is reported at the end, so that one fault does not hide others.
    """
    before = control.state()
    reference = control.converged(changed)
    figure(f"lab: {what}, uninterrupted", reference.seconds)
    after = control.state()
    targets: list[tuple[dict[str, Any], dict[str, Any]]] = [({}, before), (changed, after)]
    points, repaired, failed = draw(chance, reference, POINTS, depth), [], []
    for turn, number in enumerate(batch):
        (data, wanted), (other, _) = targets[turn % 2], targets[(turn + 1) % 2]
        try:
            repaired.append(one(control, points[number], number % CUT == CUT - 1, data, wanted, other))
        except AssertionError as error:
            failed.append(f"point {number}, {points[number]}: {error}")
            print(failed[-1])
            control.converged(data)
        else:
            print(f"point {number}: passed, {repaired[-1]:.1f} s")
    assert not failed, "\n\n".join(failed)
    figure(f"lab: {what}, points of interruption", len(repaired))
    figure(f"lab: {what}, longest run after an interruption", max(repaired))


def one(
    control: Control, point: Point, cut: bool, data: dict[str, Any], wanted: dict[str, Any], other: dict[str, Any]
) -> float:
    """Duration of the run after one that was interrupted on its way from `other` to `data`."""
    print(f"{'cut off' if cut else 'killed'} at {point}")
    since = time.strftime("%Y-%m-%dT%H:%M:%S")
    done = interrupted(control, point, data, other, cut)
    again = control.converged(data)
    state = control.state()
    assert differences(wanted, state) == [], f"{done.end}\n{again.end}"
    assert stale(state) == []
    assert control.converged(data).changes == []
    told = control.run(deploy="deploys/history.py", data={"since": since}).output
    assert any(end in told for end in ("died before it ended", *(["failed: "] if cut else []))), told
    return again.seconds


def test_a_change_of_every_role_interrupted_and_run_again(
    settled: Control, batch: list[int], figure: Figure, chance: random.Random
) -> None:
    series(settled, LIGHT, batch, "a change of every role", figure, chance)


@pytest.mark.full
def test_a_change_of_every_service_interrupted_and_run_again(
    settled: Control, figure: Figure, chance: random.Random
) -> None:
    """Engines restart, images get other names, and all services roll."""
    series(settled, HEAVY, range(POINTS_HEAVY), "a change of every service", figure, chance, DEPTH_HEAVY)


@pytest.fixture
def bare(pytestconfig: pytest.Config) -> Iterator[tuple[Control, Outcome]]:
    """A box from bare hosts, converged without interruption, and taken down again."""
    if Control("box").exists():
        pytest.skip("box is up and this scenario takes it down: python -m nexus.provider.lab down box")
    yield from whole("box", pytestconfig)


@pytest.mark.full
def test_a_bare_host_killed_and_run_again(bare: tuple[Control, Outcome], figure: Figure, chance: random.Random) -> None:
    control, reference = bare
    assert reference.status == 0, reference.end
    figure("box: first run from a bare host, uninterrupted", reference.seconds)
    assert control.converged().changes == []
    wanted = control.state()
    control.renew()
    for point in growing(chance, reference):
        killed = control.killed(point.role, point.change, point.delay)
        assert killed.status == -signal.SIGKILL, f"{point}: {killed.end}"
        figure(f"box: killed at {point}", killed.seconds)
    figure("box: run after the kills", control.converged().seconds)
    state = control.state()
    superuser = control.planned.secret("postgresql/superuser")
    different = differences(of_any_build(wanted, superuser), of_any_build(state, superuser))
    assert not different, "\n".join(different)
    assert stale(state) == []
    assert control.converged().changes == []


def growing(chance: random.Random, outcome: Outcome) -> list[Point]:
    """Points later and later in a run, each at a role's first change: the step that a killed run left running on the
    host may finish that role, but never start the next."""
    changes = [change.split(":")[0] for change in outcome.changes]
    points = sorted(draw(chance, outcome, POINTS_BARE, DEPTH_HEAVY), key=lambda point: changes.index(point.role))
    return [Point(point.role, 0, point.delay) for point in points]
