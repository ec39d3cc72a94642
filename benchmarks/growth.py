"""How a no-op grows with hosts and with services, as figures and as a plot.

Hosts: 1 to 40 light ones measured, and one point at 1,000 with the simulated connector. Services: 43, 100 and 400 of
a generated catalogue on eight simulated hosts, and the time of planning alone.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import PROJECT, generated, hosts, simulated, svg
from benchmarks.distance import PORT
from benchmarks.meter import calm
from benchmarks.platform_run import Done, run
from benchmarks.target import Figures

HOSTS = (1, 2, 4, 8, 16, 24, 32, 40)
SIMULATED_HOSTS = 1000
SERVICES = (43, 100, 400)
ANSWER_SECONDS = 0.05  # of a simulated host: about what a real one on the same machine takes
ROUNDS = 5
SLICE: dict[str, Any] = {
    "deploy": "benchmarks/deploys/slice.py",
    "inventory": "benchmarks/inventory/slice.py",
    "name": "growth",
}
MANY: dict[str, Any] = {"inventory": "benchmarks/inventory/many.py", "name": "growth"}
PLOT = Path(__file__).with_name("growth.svg")

PLAN = """
import json, time
from benchmarks import generated, platform_run
generated.install()
env = platform_run.environment_of("many")
began = time.monotonic()
services = len(env.catalogue.services)
loaded = time.monotonic() - began
env = platform_run.with_traits(env)
from roles.table import ROLES
from nexus.plan import diff as difference
for role in ROLES:
    ROLES.plan(role)
env.tls.leaf(["warm"])
began = time.monotonic()
for host in env.hosts:
    for role in ROLES.of(host):
        difference.complete(ROLES.plan(role)(env, host))
print(json.dumps({"services": services, "load": loaded, "plan": time.monotonic() - began}))
env.secrets.save()
"""


def of_hosts(figures: Figures) -> None:
    """No-op of the slice against the number of hosts, all sizes in turn, round after round."""
    hosts.up(max(HOSTS), PORT)
    begin = run(environment={"NEXUS_BENCH_HOSTS": str(max(HOSTS))}, **SLICE)
    if begin.changes < 0:
        raise RuntimeError(f"the hosts could not be converged:\n{begin.output[-2000:]}")
    calm()
    found: dict[int, list[Done]] = {size: [] for size in HOSTS}
    for _ in range(ROUNDS):
        for size in HOSTS:
            found[size].append(_still(run(environment={"NEXUS_BENCH_HOSTS": str(size)}, **SLICE)))
    for size, done in found.items():
        _keep(figures, f"hosts_{size}", done, "measured")


def of_simulated_hosts(figures: Figures, size: int = SIMULATED_HOSTS) -> None:
    """The same for more hosts than this machine could hold."""
    simulated.forget()
    environment = {"NEXUS_BENCH_HOSTS": str(size), simulated.VARIABLE: str(ANSWER_SECONDS)}
    run(environment=environment, **SLICE)
    done = [_still(run(environment=environment, **SLICE)) for _ in range(2)]
    _keep(figures, f"hosts_{size}", done, "simulated connector")


def of_services(figures: Figures) -> None:
    """No-op of full.py and time of planning against the number of services, on simulated hosts."""
    for count in SERVICES:
        generated.write(count)
        simulated.forget()
        environment = {generated.VARIABLE: str(count), simulated.VARIABLE: str(ANSWER_SECONDS)}
        plans = [_plan(environment) for _ in range(ROUNDS)]
        seconds = statistics.median(float(entry["plan"]) for entry in plans[1:])
        load = statistics.median(float(entry["load"]) for entry in plans[1:])
        figures.add(f"plan_{count}", seconds, f"all roles on 8 hosts; reading the catalogue {load:.2f} s more")
        run(*generated.ROOM, environment=environment, **MANY)
        done = [_still(run(*generated.ROOM, environment=environment, **MANY)) for _ in range(ROUNDS)]
        _keep(figures, f"services_{count}", done, "simulated connector, 8 hosts")


def plot(figures: Figures) -> None:
    """Draw what is known into growth.svg."""

    def series(prefix: str, suffix: str, sizes: tuple[int, ...]) -> list[tuple[float, float]]:
        known = figures.figures
        return [
            (size, known[f"{prefix}_{size}{suffix}"].value) for size in sizes if f"{prefix}_{size}{suffix}" in known
        ]

    panels = [
        svg.Panel(
            "No-op of the slice against hosts",
            "hosts",
            {"wall, s": series("hosts", "", HOSTS), "controller CPU, s": series("hosts", "_cpu", HOSTS)},
        ),
        svg.Panel(
            f"{SIMULATED_HOSTS} hosts: simulated connector",
            "hosts",
            {
                "wall, s": series("hosts", "", (40, SIMULATED_HOSTS)),
                "controller CPU, s": series("hosts", "_cpu", (40, SIMULATED_HOSTS)),
            },
            simulated=True,
        ),
        svg.Panel(
            "No-op of full.py against services: simulated connector",
            "services",
            {
                "wall, s": series("services", "", SERVICES),
                "controller CPU, s": series("services", "_cpu", SERVICES),
                "planning alone, s": series("plan", "", SERVICES),
            },
            simulated=True,
        ),
    ]
    PLOT.write_text(svg.draw([panel for panel in panels if any(panel.lines.values())]))


def _plan(environment: Mapping[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", PLAN], cwd=PROJECT, env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"planning failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _still(done: Done) -> Done:
    if done.changes != 0:
        raise RuntimeError(f"not a no-op: {done.changes} changes, status {done.cost.status}:\n{done.output[-2000:]}")
    return done


def _keep(figures: Figures, name: str, done: list[Done], how: str) -> None:
    figures.add(name, statistics.median(one.cost.wall for one in done), f"no-op, wall s, {how}")
    figures.add(f"{name}_cpu", statistics.median(one.cost.cpu for one in done), f"controller CPU, s, {how}")
    figures.add(f"{name}_peak", max(one.cost.peak for one in done) / 1e6, f"peak memory, MB, {how}")
