"""Each file, package, unit and account is on the host as planned, as its own tools tell."""

from __future__ import annotations

import pytest

from hosts.fleet import Fleet
from hosts.item import Item
from nexus.plan.desired import Unit


@pytest.mark.planned("file")
def test_file(fleet: Fleet, item: Item) -> None:
    wanted, found = fleet.want(item), fleet.seen(item.host).paths.get(item.name)
    assert found, f"{item.host}: {item.name} is missing"
    assert found.kind == "file", f"{item.host}: {item.name} is a {found.kind}, planned is a file"
    there = f"{found.mode:04o} {found.owner}:{found.group}"
    planned = f"{wanted.mode:04o} {wanted.owner}:{wanted.group}"
    assert there == planned, f"{item.host}: {item.name} is {there}, planned is {planned}"
    content = f"content {found.content[:16]}, planned is {wanted.sha256[:16]} ({len(wanted.data)} bytes)"
    assert found.content == wanted.sha256, f"{item.host}: {item.name} has {content}"


@pytest.mark.planned("directory")
def test_directory(fleet: Fleet, item: Item) -> None:
    wanted, seen = fleet.want(item), fleet.seen(item.host)
    found = seen.followed.get(item.name) or seen.paths.get(item.name)  # a link to a larger disk is as planned
    assert found, f"{item.host}: {item.name} is missing"
    there = f"{found.kind} {found.mode:04o} {found.owner}:{found.group}"
    planned = f"directory {wanted.mode:04o} {wanted.owner}:{wanted.group}"
    assert there == planned, f"{item.host}: {item.name} is {there}, planned is {planned}"


@pytest.mark.planned("link")
def test_link(fleet: Fleet, item: Item) -> None:
    wanted, found = fleet.want(item), fleet.seen(item.host).paths.get(item.name)
    assert found, f"{item.host}: {item.name} is missing"
    there, planned = f"{found.kind} to {found.content}", f"link to {wanted.target}"
    assert there == planned, f"{item.host}: {item.name} is {there}, planned is {planned}"


@pytest.mark.planned("absent")
def test_absent(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    found = fleet.seen(item.host).paths.get(item.name)
    assert not found, f"{item.host}: {item.name} is there ({found.kind if found else ''}), planned is nothing"


@pytest.mark.planned("package")
def test_package(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    found = fleet.seen(item.host).packages.get(item.name, "not known to dpkg")
    assert found == "installed", f"{item.host}: package {item.name} is {found}, planned is installed"


@pytest.mark.planned("group")
def test_group(fleet: Fleet, item: Item) -> None:
    fleet.want(item)
    assert item.name in fleet.seen(item.host).groups, f"{item.host}: group {item.name} is missing"


@pytest.mark.planned("user")
def test_user(fleet: Fleet, item: Item) -> None:
    wanted, seen = fleet.want(item), fleet.seen(item.host)
    assert item.name in seen.users, f"{item.host}: user {item.name} is missing"
    missing = set(wanted.groups) - seen.users[item.name]
    assert not missing, f"{item.host}: user {item.name} is not in {', '.join(sorted(missing))}"
    if wanted.system:
        assert item.name in seen.locked, f"{item.host}: user {item.name} has a password; it must have none"


@pytest.mark.planned("unit")
def test_unit(fleet: Fleet, item: Item) -> None:
    wanted, seen = fleet.want(item), fleet.seen(item.host)
    found = seen.units[item.name]
    state, active = found.get("UnitFileState", ""), found.get("ActiveState", "unknown")
    what = f"{item.host}: unit {item.name}"
    if wanted.masked:
        assert state == "masked", f"{what} is {state}, planned is masked"
        return
    enabled = state in ("enabled", "enabled-runtime", "static", "indirect", "generated", "alias")
    assert enabled == wanted.enabled, f"{what} is {state}, planned is {'enabled' if wanted.enabled else 'disabled'}"
    running = active in ("active", "reloading")
    assert running == wanted.running, f"{what} is {active}, planned is {'active' if wanted.running else 'stopped'}"
    if wanted.running:
        assert found.get("NeedDaemonReload") == "no", f"{what} runs with an older unit file than the one on disk"
        older = _older(fleet, item, wanted)
        assert not older, f"{what} runs with another content than is planned of: {', '.join(older)}"


def _older(fleet: Fleet, item: Item, unit: Unit) -> list[str]:
    """Files that the unit was started or last reloaded with another content of."""
    seen = fleet.seen(item.host)
    started_with = seen.stamps.get(item.name, {})
    older = []
    for path in (*unit.restart_on, *unit.reload_on):
        planned = fleet.wanted.get(Item(item.host, "file", path))
        wanted = planned.sha256 if planned else seen.paths[path].content if path in seen.paths else None
        if started_with.get(path) != wanted:
            older.append(path)
    return older
