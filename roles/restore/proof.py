"""Prove that the last backups come back: what the weekly timer does, now."""

from __future__ import annotations

from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.restore.host import primaries, savers
from roles.restore.unit import work
from roles.runbook import Act, act

UNIT = "nexus-cos-restore-test-now.service"


def prove() -> None:
    """`--data host=NAME` for another host than the one whose turn it is."""
    act("Prove that the backups come back", plan)


def plan(run: Run) -> list[Act]:
    """One act, on a member of PostgreSQL that is not primary where there is one."""
    env = run.environment
    members = [host.name for host in env.group("postgresql") if host.name in savers(run)]
    if not members:
        raise OperatorError(
            "no host of PostgreSQL is reached by this run, and a scratch instance needs one: "
            "drop --limit"
        )
    chosen = str(env.setting.host)
    if chosen and chosen not in members:
        raise OperatorError(f"host={chosen}: the test needs a host of PostgreSQL, one of {', '.join(members)}")
    primary = primaries(run).get("postgresql")
    chosen = chosen or ([name for name in members if name != primary] or members)[-1]
    what = f"Restore the last backups into a scratch instance on {chosen}, and compare them with what was recorded"
    return [work(run, chosen, what, UNIT, "test --here", ["restore_test"], env.setting.restore_test_hours)]
