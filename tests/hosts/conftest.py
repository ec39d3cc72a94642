"""Makes the checks from the plan of the environment in NEXUS_ENV, and looks at its hosts once for all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hosts import fleet as fleets
from hosts import report
from hosts.client import Edge
from hosts.fleet import Fleet
from hosts.item import Item, items, plans
from nexus.environment import inventory
from nexus.environment.environment import Environment
from nexus.environment.settings import Settings
from nexus.error import OperatorError
from nexus.pyinfra_patches import importing_without_gevent
from roles.table import ROLES

NAME = os.environ.get("NEXUS_ENV", "lab")
ENVIRONMENT = pytest.StashKey[Environment]()
ITEMS = pytest.StashKey[list[Item]]()
LAST = "test_coverage.py"
HERE = Path(__file__).parent


def load(config: pytest.Config) -> Environment:
    """The environment with what `--data` says, as a deploy would load it."""
    with importing_without_gevent():  # scenarios in the same process use threads
        from pyinfra_cli.util import parse_cli_arg
    pairs = dict(text.split("=", 1) for text in config.getoption("--data"))
    without = pairs.pop("without", "")
    return inventory.load(NAME, {key: parse_cli_arg(value) for key, value in pairs.items()}, without)


def pytest_configure(config: pytest.Config) -> None:
    """Load the environment; what is wrong with it ends the run before anything is asked."""
    config.addinivalue_line("markers", "planned(*kinds, prefix=''): one check for each planned item of these kinds")
    config.addinivalue_line("markers", "routes(which=all): one check for each route of the edge")
    config.addinivalue_line("markers", "services(store): one check for each service that keeps something in a store")
    config.addinivalue_line("markers", "hosts(*groups): one check for each host of these groups, as testinfra_hosts")
    config.pluginmanager.register(report.Report(config, NAME), "nexus-cos-report")
    try:
        env = load(config)
        planned = {item: None for host in env.hosts for item in items(host, plans(env, host).values())}
    except OperatorError as error:
        raise pytest.UsageError(f"{NAME}: {error}") from None
    config.stash[ENVIRONMENT] = env
    config.stash[ITEMS] = list(planned)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One check for each planned item, host, route or service."""
    env = metafunc.config.stash[ENVIRONMENT]
    for mark in metafunc.definition.iter_markers("planned"):
        prefix = mark.kwargs.get("prefix", "")
        found = [item for item in metafunc.config.stash[ITEMS] if item.kind in mark.args]
        _parametrize(metafunc, "item", [item for item in found if item.name.startswith(prefix)])
    if groups := _groups(metafunc):
        _parametrize(metafunc, "hostname", list(_named(env, groups)))
    for mark in metafunc.definition.iter_markers("routes"):
        routes = list(filter(mark.kwargs.get("which"), env.catalogue.routes))
        edges = [(edge.name, route) for edge in env.group("edge") for route in routes]
        metafunc.parametrize(("hostname", "route"), edges, ids=[f"{edge}-{route.path}" for edge, route in edges])
    for mark in metafunc.definition.iter_markers("services"):
        store = mark.args[0]
        members = [host.name for host in env.group(store)]
        pairs = [(host, service) for host in members for service in env.catalogue.services_of_store(store)]
        ids = [f"{host}-{service.name}" for host, service in pairs]
        metafunc.parametrize(("hostname", "service"), pairs or [_nothing(store, 2)], ids=ids or None)


def _groups(metafunc: pytest.Metafunc) -> tuple[str, ...]:
    """Groups whose hosts a check is about: of its mark, else of its file, as testinfra has it."""
    if mark := metafunc.definition.get_closest_marker("hosts"):
        return mark.args or ("all",)
    return tuple(getattr(metafunc.module, "testinfra_hosts", ())) if "hostname" in metafunc.fixturenames else ()


def _named(env: Environment, groups: tuple[str, ...]) -> dict[str, None]:
    """Names of the hosts of these groups of the inventory; "ops[0]" is the first host of one."""
    if unknown := {group.removesuffix("[0]") for group in groups} - {"all", *ROLES.groups}:
        raise pytest.UsageError(f"no role concerns the group {', '.join(sorted(unknown))} of a check")
    found = {group: env.group(group.removesuffix("[0]")) for group in groups}
    return {host.name: None for group, hosts in found.items() for host in hosts[: 1 if group.endswith("]") else None]}


def _parametrize(metafunc: pytest.Metafunc, name: str, values: list[Any]) -> None:
    metafunc.parametrize(name, values or [_nothing(metafunc.definition.name, 1)], ids=str if values else None)


def _nothing(what: str, count: int) -> Any:
    reason = f"{NAME} has nothing for it: the group is empty, or nothing is planned"
    return pytest.param(*[None] * count, marks=pytest.mark.skip(reason=reason), id="nothing")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The coverage comes last; it alone stays, and says why, where this machine can hold no lab."""
    items.sort(key=lambda item: item.path.name == LAST)
    if reason := _no_lab(config):
        own = [item for item in items if item.path.parent == HERE]
        own[-1].add_marker(pytest.mark.skip(reason=f"the checks of hosts are left out, {reason}"))
        items[:] = [item for item in items if item not in own[:-1]]


def _no_lab(config: pytest.Config) -> str | None:
    """Why this machine can hold no lab, where the run is about to make one."""
    if not config.getoption("--lab") or config.stash[ENVIRONMENT].setting.provider != "lab":
        return None
    from nexus.provider.lab import reason_lab_cannot_run

    why = reason_lab_cannot_run()
    return f"no lab on this machine: {why}" if why else None


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[Any]:
    """A failure is told by its message alone: what was found and what was planned."""
    try:
        return (yield)
    except AssertionError as error:
        message = str(error).split("\nassert ")[0]
        if not message or message.startswith("assert "):
            raise
    pytest.fail(message, pytrace=False)


@pytest.fixture(scope="session")
def fleet(request: pytest.FixtureRequest, record_testsuite_property: Any) -> Iterator[Fleet]:
    """All hosts as they were found at the first check."""
    found = fleets.look_at(load(request.config))
    if len(found.problems) == len(found.env.hosts):
        host, why = next(iter(found.problems.items()))
        pytest.exit(f"no host of {NAME} can be checked; {host} {why}", returncode=1)
    for name, value in report.properties(found).items():
        record_testsuite_property(name, value)
    kept = request.config.pluginmanager.get_plugin("nexus-cos-report")
    assert kept
    kept.fleet = found
    yield found
    found.close()


@pytest.fixture
def hostname() -> str:
    """Name of the host that a check is about, in the inventory."""
    raise LookupError("name the groups of hosts: testinfra_hosts of the file, or pytest.mark.hosts of the check")


@pytest.fixture
def host(fleet: Fleet, hostname: str) -> Any:
    """That host as testinfra's modules see it."""
    return fleet.machine(hostname)


@pytest.fixture
def env(fleet: Fleet) -> Environment:
    """The environment: its groups of hosts, its catalogue."""
    return fleet.env


@pytest.fixture
def setting(env: Environment, hostname: str) -> Settings:
    """Settings of the host."""
    return env.host(hostname).setting


@pytest.fixture
def address(env: Environment, hostname: str) -> str:
    """Where the other hosts of the environment reach the host."""
    return env.host(hostname).address


@pytest.fixture(scope="session")
def edges(fleet: Fleet) -> Iterator[dict[str, Edge]]:
    """A client of each edge host, which asks from where the checks run."""
    clients = {host.name: Edge(fleet, host) for host in fleet.env.group("edge")}
    yield clients
    for client in clients.values():
        client.close()
