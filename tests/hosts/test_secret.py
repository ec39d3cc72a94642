"""No secret value is where everybody on a host could read it."""

from __future__ import annotations

import pytest

from hosts.fleet import Fleet
from roles.swarm.plan import nodes

ENOUGH_BYTES = 500  # a search that saw less has not seen what it should


@pytest.mark.hosts
def test_no_secret_can_be_read(fleet: Fleet, hostname: str) -> None:
    found = fleet.answer(hostname, "secret")
    assert not found["leaks"], f"{hostname}: {'; '.join(found['leaks'])}"
    runs_containers = hostname in [node.name for node in nodes(fleet.env)]  # a registry's host need not
    places = {"files", "processes", "units"} | ({"docker"} if runs_containers else set())
    blind = sorted(place for place in places if found["bytes"].get(place, 0) < ENOUGH_BYTES)
    assert not blind, f"{hostname}: nothing was searched in {', '.join(blind)}"


@pytest.mark.hosts
def test_files_with_secrets_are_closed(fleet: Fleet, hostname: str) -> None:
    paths = fleet.seen(hostname).paths
    plans = fleet.planned[hostname].values()
    secret = [file.path for plan in plans for file in (*plan.early, *plan.files) if file.secret]
    readable = [path for path in secret if path in paths and paths[path].mode & 0o007]
    assert not readable, f"{hostname}: everybody may read {', '.join(readable)}"


@pytest.mark.hosts
def test_no_open_file_is_planned_with_a_secret(fleet: Fleet, hostname: str) -> None:
    env, plans = fleet.env, fleet.planned[hostname].values()
    kept = [name for name in env.secrets.names() if not name.endswith("/ca-certificate")]
    values = {name: str(env.secrets.optional(name)) for name in kept}
    files = [file for plan in plans for file in (*plan.early, *plan.files) if file.mode & 0o007]
    leaks = [
        f"{name} in {file.path}" for file in files for name, value in values.items() if value.encode() in file.data
    ]
    assert not leaks, f"{hostname}: {'; '.join(leaks)}"
