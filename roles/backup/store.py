"""What roles say of the backup and restore of their own data: `BACKUP`, a Store, of roles/NAME/backup.py.

Next to it lies roles/NAME/host/backup.py with `KIND` (roles/backup/host/kind.py), which hosts have as a part of the
backup program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired
from nexus.run.role import Roles
from nexus.run.run import Run
from nexus.run.runbook import Act
from roles.backup.restore import Restore, restore_file

PART = "backup"  # the file that a role brings


@dataclass(frozen=True)
class Saved:
    """Something that hosts save.

    `config(env, host)` is its part of the program's configuration. `desired(env)` is what its hosts hold for it beside
    the program.
    """

    config: Callable[[Environment, Host], dict[str, Any]]
    desired: Callable[[Environment], Desired] = lambda env: Desired()


@dataclass(frozen=True)
class Store(Saved):
    """The data of a role, saved by the hosts that the role concerns.

    `title` is what operators call it.
    `takes_writes(run, name)`: whether this host is the one that saves it now and that it is put into.
    `types` are those of its backups that an operator can ask for, if it has such.
    `restore(wanted)`: the acts that bring it back; OperatorError where that cannot be.
    `restore_service(wanted, name)`: the same for one service that keeps something in it, where that is possible.
    `by_default`: it is what comes back where neither a service nor a store is named.
    `tests`: its hosts make the restore test of all kinds, on one that takes no writes if possible.
    """

    title: str = ""
    takes_writes: Callable[[Run, str], bool] = lambda run, name: True
    types: tuple[str, ...] = ()
    restore: Callable[[Restore], list[Act]] = restore_file
    restore_service: Callable[[Restore, str], list[Act]] | None = None
    by_default: bool = False
    tests: bool = False


def stores(roles: Roles) -> dict[str, Store]:
    """Stores by the name of their role, in the order of the table."""
    return {name: roles.module(name, PART).BACKUP for name in roles.having(PART)}
