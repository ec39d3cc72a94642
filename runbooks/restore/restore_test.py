"""Prove that the last backups restore: the weekly test, started now."""

from functools import partial

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import Act, act
from roles.backup.acts import savers, work
from roles.backup.store import stores
from runbooks.restore.hosts import hosts_of, primaries

UNIT = "nexus-cos-restore-test-now.service"


def prove(host: str = "") -> None:
    """Run the test on this host, or on one that `plan` chooses."""
    act("Prove that the backups restore", partial(plan, chosen=host))


def plan(run: Run, chosen: str = "") -> list[Act]:
    """One act, on a host of the store that brings the test; if possible on one that accepts no writes."""
    store = next((name for name, each in stores(run.all_roles).items() if each.tests), None)
    if not store:
        raise OperatorError("no store of this platform has a restore test")
    title = stores(run.all_roles)[store].title
    members = [name for name in hosts_of(run, store) if name in savers(run)]
    if not members:
        raise OperatorError(f"this run reaches no host of {title}, and the scratch instance needs one: drop --limit")
    if chosen and chosen not in members:
        raise OperatorError(f"host={chosen}: the test needs a host of {title}, one of {', '.join(members)}")
    primary, hours = primaries(run).get(store), run.environment.setting.restore_test_hours
    chosen = chosen or ([name for name in members if name != primary] or members)[-1]
    what = f"Restore the last backups into a scratch instance on {chosen}, and compare them with their records"
    return [work(run, chosen, what, UNIT, "test --here", ["restore_test"], hours)]
