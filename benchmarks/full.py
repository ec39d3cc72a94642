"""full.py against absolute targets, on the deployed lab.

Every case leaves the lab as it found it. Cases that renew the lab run only when they are named.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from benchmarks import PROJECT, WORK, hosts, platform_run
from benchmarks.distance import DELAY_MS, PORT, Distance
from benchmarks.floor import lay_bare
from benchmarks.hosts import Fleet
from benchmarks.meter import calm
from benchmarks.platform_run import Done, run
from benchmarks.target import Figures
from nexus import catalogue

ROUNDS = 5
ROUNDS_NOOP = 9
ROUNDS_FIRST = 2  # ten minutes together
ROUNDS_VERIFY = 3
LIGHT = 40


class Unexpected(RuntimeError):
    """A run that did not do the work that was to be measured."""


def _expect(done: Done, changes: bool, what: str) -> Done:
    if done.changes < 0 or bool(done.changes) != changes:
        end = "\n".join(done.output.splitlines()[-15:])
        raise Unexpected(f"{what}: {done.changes} changes, status {done.cost.status}:\n{end}")
    return done


def noop(figures: Figures, fleet: Fleet) -> None:
    """Nothing to change, in turn with stock pyinfra; then once more through the launcher that counts."""
    run()  # converge leftovers first
    walls, cpus, peaks, used, stock = [], [], [], [], []
    for _ in range(ROUNDS_NOOP):
        calm()  # sessions of the previous run are still ending
        other = platform_run.stock(fleet)
        if other.status:
            raise Unexpected(f"stock pyinfra ended with {other.status}: see {WORK}/log/stock.log")
        stock.append(other.wall)
        calm()
        before = fleet.cpu()
        done = _expect(run(), False, "no-op")
        after = fleet.cpu()
        walls.append(done.cost.wall)
        cpus.append(done.cost.cpu)
        peaks.append(done.cost.peak)
        if before is not None and after is not None:
            used.append(after - before)
    size = len(fleet.hosts)
    wall, true = statistics.median(walls), statistics.median(stock)
    spread = f"{true:.2f} s ({min(stock):.2f} to {max(stock):.2f}), in turn"
    figures.add("noop", wall, f"median of {ROUNDS_NOOP}, {min(walls):.2f} to {max(walls):.2f}")
    figures.add("noop_factor", wall / true, f"`pyinfra inventory.py exec -- true` takes {spread}")
    figures.add("noop_cpu", statistics.median(cpus), "controller CPU, s")
    if used:
        figures.add("noop_target_cpu", statistics.mean(used) / size, "CPU of each host, its services' included")
    figures.add("peak", max(peaks) / 1e6)
    counted = _expect(run(counted=True), False, "counted no-op").sessions
    figures.add("noop_sessions", (counted or 0) / size, f"{counted} SSH sessions on {size} hosts")


def delay(figures: Figures, fleet: Fleet) -> None:
    """The same over a network with delay, and the same number of runs without."""
    near, far = [], []
    for _ in range(ROUNDS):
        near.append(_expect(run(), False, "no-op").cost.wall)
        with Distance("delay", fleet) as distance:
            away = run(inventory="benchmarks/inventory/lab.py", environment=distance.environment)
            far.append(_expect(away, False, "no-op with delay").cost.wall)
            turns = distance.turns()
    more = statistics.median(far) - statistics.median(near)
    figures.add("noop_delay", more, f"{statistics.median(far):.2f} s with {DELAY_MS:.0f} ms, {turns} turns on the wire")


def service(figures: Figures, fleet: Fleet) -> None:
    """Change one service's configuration in a second checkout, and back."""
    name = list(catalogue.load().services)[-1]
    copy = platform_run.copy_of_project()
    platform_run.edit_memory(copy, name)
    walls, healthy, own = [], [], []
    for project in (copy, PROJECT, copy, PROJECT):
        began = time.time()
        done = _expect(run(project=project, name="service"), True, "one service changed")
        created, running = platform_run.task_times(fleet, name)
        walls.append(done.cost.wall)
        healthy.append(running - began)
        own.append(created - began)
    figures.add("service", statistics.median(healthy), f"{name}, median of {len(walls)}")
    figures.add("service_own", statistics.median(own), "from the start of the run to the new task's creation")
    watched = "the whole run, which also watches the new task for as long as Swarm would roll it back"
    figures.add("service_run", statistics.median(walls), watched)


def nginx(figures: Figures, fleet: Fleet) -> None:
    """Change one setting of Nginx, and back."""
    walls = []
    for _ in range(2):
        for arguments in (["--data", "nginx_hsts_seconds=86400"], []):
            walls.append(_expect(run(*arguments, name="nginx"), True, "Nginx changed").cost.wall)
    figures.add("nginx", statistics.median(walls), f"one Nginx setting changed, wall, median of {len(walls)}")


def verify(figures: Figures, fleet: Fleet) -> None:
    """All checks of all hosts."""
    calm()
    walls = []
    for _ in range(ROUNDS_VERIFY):
        done = platform_run.verify()
        last = done.output.strip().splitlines()[-1].strip("= ")
        if done.cost.status:
            raise Unexpected(f"make verify failed: {last}")
        walls.append(done.cost.wall)
    spread = f"median of {ROUNDS_VERIFY}, {min(walls):.1f} to {max(walls):.1f}"
    figures.add("verify", statistics.median(walls), f"{spread}; {last}")


def light(figures: Figures, fleet: Fleet) -> None:
    """Forty light hosts with only the base role, while the platform's hosts are off."""
    with platform_run.resting(fleet):
        _light(figures)


def _light(figures: Figures) -> None:
    hosts.up(LIGHT, PORT)
    runs = {"deploy": "benchmarks/deploys/light.py", "inventory": "benchmarks/inventory/slice.py", "name": "light"}
    few: list[Done] = []
    many: list[Done] = []
    for size, found in ((8, few), (LIGHT, many)):
        environment = {"NEXUS_BENCH_HOSTS": str(size), "NEXUS_BENCH_ROLE": "base"}
        begin = run(environment=environment, **runs)  # type: ignore[arg-type]
        if begin.changes < 0:
            raise Unexpected(f"{size} light hosts could not be converged:\n{begin.output[-2000:]}")
        calm()
        for _ in range(ROUNDS):
            found.append(_expect(run(environment=environment, **runs), False, f"{size} light hosts"))  # type: ignore[arg-type]
    walls = [done.cost.wall for done in many]
    figures.add(
        "light", statistics.median(walls),
        f"median of {ROUNDS}, {min(walls):.2f} to {max(walls):.2f}; the platform's hosts off; "
        f"peak {many[0].cost.peak / 1e6:.0f} MB",
    )  # fmt: skip
    more = statistics.median(done.cost.cpu for done in many) - statistics.median(done.cost.cpu for done in few)
    figures.add("cpu_per_host", more / (LIGHT - 8), "from 8 to 40 light hosts")


def first(figures: Figures, fleet: Fleet) -> None:
    """From bare hosts: the limit script and full.py in turn, each on new hosts."""
    limits, walls = [], []
    for _ in range(ROUNDS_FIRST):
        platform_run.renew(fleet)
        limits.append(lay_bare(fleet))
        platform_run.renew(fleet)
        done = run(name="first")
        if not done.healthy:
            raise Unexpected(f"first converge: {done.output[-2000:]}")
        walls.append(done.cost.wall)
    factor = statistics.median(wall / limit for wall, limit in zip(walls, limits, strict=True))
    seconds = ", ".join(f"{limit:.0f}" for limit in limits)
    figures.add("limit_script", statistics.median(limits), "bare apt, image and docker work side by side")
    figures.add("first", statistics.median(walls), f"{done.changes} changes; {', '.join(f'{w:.0f}' for w in walls)} s")
    figures.add("first_factor", factor, f"limit script: {seconds} s")


CASES: dict[str, Callable[[Figures, Fleet], None]] = {
    "noop": noop,
    "delay": delay,
    "service": service,
    "nginx": nginx,
    "verify": verify,
    "light": light,
    "first": first,
}
GENTLE = tuple(name for name in CASES if name != "first")
