"""Prove that the last backups come back: what the weekly timer does, now."""

from __future__ import annotations

from functools import partial

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import Act, act
from roles.backup.acts import savers, work
from roles.backup.store import stores
from runbooks.restore.hosts import hosts_of, primaries

UNIT = "nexus-cos-restore-test-now.service"


def prove(host: str = "") -> None:
    """On this host, or on the one whose turn it is."""
    act("Prove that the backups come back", partial(plan, chosen=host))


def plan(run: Run, chosen: str = "") -> list[Act]:
    """One act, on a host of the store that tests, and there on one that takes no writes if possible."""
    store = next((name for name, each in stores(run.all_roles).items() if each.tests), None)
    if not store:
        raise OperatorError("no store of this platform brings a restore test")
    title = stores(run.all_roles)[store].title
    members = [name for name in hosts_of(run, store) if name in savers(run)]
    if not members:
        raise OperatorError(
            f"no host of {title} is reached by this run, and a scratch instance needs one: drop --limit"
        )
    if chosen and chosen not in members:
        raise OperatorError(f"host={chosen}: the test needs a host of {title}, one of {', '.join(members)}")
    primary, hours = primaries(run).get(store), run.environment.setting.restore_test_hours
    chosen = chosen or ([name for name in members if name != primary] or members)[-1]
    what = f"Restore the last backups into a scratch instance on {chosen}, and compare them with what was recorded"
    return [work(run, chosen, what, UNIT, "test --here", ["restore_test"], hours)]
