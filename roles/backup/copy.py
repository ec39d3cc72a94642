"""The copy of all buckets of our own object storage on a second host, which outlives the host of the storage.

It is one more kind of the backup program, so its age is watched as that of a backup. A run fills a new server from it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError, nearest
from nexus.plan.desired import Desired, Directory, State
from roles.backup.store import Saved
from roles.storage.plan import ADMIN, COPY, access, bucket_names, server

NAME = "copy"
MODULE = "roles.backup.host.copy"
NONE = "none"


def holder(env: Environment, hosts: Sequence[Host]) -> Host | None:
    """The host that keeps the copy, of those with backups; None where there is no storage of our own, or no other host.

    Without the setting: another ops host if there is one, else the last host with a store.
    """
    storage, named = server(env), str(env.setting.backup_copy_host)
    others = [host for host in hosts if host != storage]
    if not storage or named == NONE:
        return None
    if named:
        return _named(env, named, others)
    return next((host for host in others if "ops" in host.groups), others[-1] if others else None)


def _named(env: Environment, name: str, others: Sequence[Host]) -> Host:
    names = [host.name for host in others]
    if name not in names:
        raise OperatorError(
            f'backup_copy_host is "{name}"{nearest(name, names)}: name a host of {env.name} with a store or in the '
            f'group ops, but not that of object storage: {", ".join(names) or "there is none"}; or "{NONE}"'
        )
    return next(host for host in others if host.name == name)


def config(env: Environment, host: Host) -> dict[str, Any]:
    """Where the copy lies, and what it is made of."""
    return {
        "access": access(env, COPY),
        "buckets": bucket_names(env),
        "directory": str(env.setting.backup_copy_directory),
        "keep_days": env.setting.backup_copy_keep_days,
        "free_percent": env.setting.backup_copy_free_percent,
    }


def desired(env: Environment) -> Desired:
    """The copy's directory; and that object storage has what was copied, unless this run does without its host."""
    directory, storage = str(env.setting.backup_copy_directory), server(env)
    source = Path(__file__).parent / "host/copy_state.py"
    filled = State(
        "backup copy",
        source,
        {"object storage": {"filled": True}},
        context={"directory": directory},
        payload={"access": access(env, ADMIN)},
    )
    there = storage is not None and storage.name not in env.left_out
    return Desired(directories=(Directory(directory, mode=0o700),), states=(filled,) if there else ())


BACKUP = Saved(config=config, desired=desired)
