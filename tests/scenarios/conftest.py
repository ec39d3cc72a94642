"""The lab that the scenarios share: brought up and deployed if necessary, and left as it was found."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from control import PROJECT, Control, Outcome
from database import Database
from report import Figure, Report

from nexus.provider import lab
from nexus.provider.lab import defaults
from nexus.provider.lab.machine import mounts_below, processes, run
from roles.image.checkout import source

HERE = Path(__file__).parent
QUARTERS = 4  # of the long scenario files: one is in `make test`, by the day
SHORT = frozenset(
    f"test_{name}.py"
    for name in (
        *("catalogue_fuzz", "deploy", "documented", "firewall", "hardening", "log", "refusal", "reproducible"),
        *("search_store", "second_run", "update"),
    )
)
REPORT = pytest.StashKey[Report]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the scenarios' measurements across runs, and show them on a page."""
    config.stash[REPORT] = Report(PROJECT / "reports")
    config.pluginmanager.register(config.stash[REPORT], "scenarios-report")


def pytest_report_header(config: pytest.Config) -> str:
    """The selection, and how to repeat it."""
    part = "all of them" if config.getoption("--full") else "a case of each file, the others with --full"
    quarter = config.getoption("--quarter")
    if quarter is not None:
        part += f", and of the long files those of --quarter {quarter % QUARTERS}"
    return f"scenarios: {part}; moments and points are drawn with --seed {config.getoption('--seed')}"


def of_quarter(names: Iterable[str], quarter: int) -> set[str]:
    """The files of a quarter: the short ones are in each, every other one is in one of four that follow."""
    others = sorted(set(names) - SHORT)
    return {*SHORT, *others[quarter % QUARTERS :: QUARTERS]}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip tests marked `full` unless --full is given, and files of other quarters with --quarter."""
    if config.getoption("--full"):
        return
    scenarios = [item for item in items if item.path.parent == HERE]
    quarter = config.getoption("--quarter")
    chosen = {item.path.name for item in scenarios}
    if quarter is not None:
        chosen = of_quarter(chosen, quarter)
    for item in scenarios:
        if item.path.name not in chosen:
            item.add_marker(pytest.mark.skip(reason=f"not in this quarter of the scenarios: --quarter {quarter}"))
        if item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason="runs with --full: make scenarios"))


@pytest.fixture(scope="session")
def figure(pytestconfig: pytest.Config) -> Figure:
    """Keep one measured value under its name."""
    return pytestconfig.stash[REPORT].figure


@pytest.fixture(scope="session")
def full(pytestconfig: pytest.Config) -> bool:
    """Whether the long series are requested."""
    return bool(pytestconfig.getoption("--full"))


@pytest.fixture
def chance(pytestconfig: pytest.Config) -> random.Random:
    """A random generator that draws the same for the same --seed."""
    return random.Random(pytestconfig.getoption("--seed"))


def whole(name: str, config: pytest.Config) -> Iterator[tuple[Control, Outcome]]:
    """An environment with its hosts up and everything deployed; taken down afterwards if it was down before."""
    if not config.getoption("--lab"):
        pytest.skip("scenarios on the lab's hosts run with --lab")
    if reason := lab.reason_lab_cannot_run():
        pytest.skip(f"no lab on this machine: {reason}")
    control = Control(name)
    was_there = control.exists()
    provided = control.run(deploy="deploys/provision.py", inventory="@local")
    assert provided.status == 0, provided.end
    yield control, control.run()
    if not was_there:
        lab.down(control.lab)
        assert not leftovers(control)


@pytest.fixture(scope="session")
def deployed(pytestconfig: pytest.Config, figure: Figure) -> Iterator[tuple[Control, Outcome]]:
    """The lab and the run that deployed it, successful or not."""
    before = Control("lab").exists()
    for control, outcome in whole("lab", pytestconfig):
        figure("lab: first run on existing hosts" if before else "lab: first run from bare hosts", outcome.seconds)
        yield control, outcome


@pytest.fixture(scope="module")
def control(request: pytest.FixtureRequest) -> Control:
    """The environment in NEXUS_ENV as it is; with --lab the lab, converged again after earlier scenarios."""
    name = os.environ.get("NEXUS_ENV") or "lab"
    if name == "lab" and request.config.getoption("--lab"):
        found: Control = request.getfixturevalue("deployed")[0]
        lab.up(found.lab)
        found.converged()
        return found
    found = Control(name)
    if not found.running():
        pytest.skip(f"{found.name} is not up: make deploy NEXUS_ENV={found.name}")
    return found


@pytest.fixture(scope="module")
def ready(control: Control) -> Iterator[Control]:
    """The converged environment for releases of the reference service, which are rolled back afterwards."""
    if source(control.planned):
        pytest.skip("releases are tried with the reference service, and NEXUS_SOURCE names real code")
    control.converged()
    yield control
    assert control.converged().closing[0] == 0


@pytest.fixture(scope="module")
def sound(control: Control) -> Iterator[Control]:
    """The environment as planned, before the first fault of a module and after the last."""
    yield control
    done = control.converged()
    assert done.changes == [], done.end


@pytest.fixture
def database(control: Control) -> Iterator[Database]:
    """PostgreSQL's cluster of three, complete before and after the test."""
    found = Database(control)
    if len(found.hosts) < 3:
        pytest.skip(f"{control.name} has {len(found.hosts)} host of PostgreSQL: there is nothing to move")
    found.wait_whole()
    yield found
    found.wait_whole()


@pytest.fixture
def platform(deployed: tuple[Control, Outcome]) -> Control:
    """The lab, converged and healthy before the test."""
    control, _ = deployed
    lab.up(control.lab)
    control.converged()
    return control


def leftovers(control: Control) -> list[str]:
    """What an environment that was taken down has left on this machine; the last one includes the network."""
    found = [str(control.lab.directory)] if control.lab.directory.exists() else []
    found += mounts_below(control.lab.directory)
    place = f"{control.lab.directory}/"
    found += [" ".join(p.command)[:120] for p in processes() if any(place in word for word in p.command)]
    links = run("ip", "-brief", "link").stdout.split()
    found += [name for name in control.names if any(link.startswith(control.host(name).interface) for link in links)]
    if not (control.lab.directory.parent).exists():
        found += [line for line in links if line == defaults.BRIDGE]
        found += [line for line in run("nft", "list", "tables").stdout.splitlines() if defaults.NFT_TABLE in line]
    return found
