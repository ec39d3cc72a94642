"""How roles declare the backup and restore of their data: `BACKUP`, a Store, in roles/NAME/backup.py.

Next to it, roles/NAME/host/backup.py has `KIND` (roles/backup/host/kind.py), which is part of the backup program on
hosts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired
from nexus.run.role import Roles
from nexus.run.run import Run
from nexus.run.runbook import Act
from roles.backup.restore import Restore, restore_file

PART = "backup"  # the file that a role contributes


@dataclass(frozen=True)
class Saved:
    """Something that hosts save.

    `config(env, host)` is its part of the program's configuration. `desired(env)` is what its hosts need in addition
    to the program.
    """

    config: Callable[[Environment, Host], dict[str, Any]]
    desired: Callable[[Environment], Desired] = lambda env: Desired()


@dataclass(frozen=True)
class Store(Saved):
    """The data of a role, saved by the hosts that the role concerns.

    `title` is what operators call it.
    `takes_writes(run, name)`: whether this host currently saves the store, and is where it is restored to.
    `types` are the types of backups that an operator can ask for, if there are any.
    `restore(wanted)`: the acts that restore it; OperatorError if that is impossible.
    `restore_service(wanted, name)`: the same for one service with data in it, if that is possible.
    `by_default`: it is restored if neither a service nor a store is named.
    `tests`: its hosts run the restore test of all kinds, if possible on one that takes no writes.
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
