"""Accounts of operators on this host. They are members of one group, and nobody else is.

Who leaves loses keys, sudo and sessions, and the account is locked; its files stay.
"""

import grp
import os
import pwd
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from nexus.agent.change import Change
from nexus.agent.file import read_text, remove, write_atomic
from nexus.agent.lib import RemoteError, digest, group_exists, run

GROUP = "nexus-operators"
FIRST_UID = 1000  # accounts below this belong to the system
SHELL = "/bin/bash"
PREFIX = "operator "
PASSES = 3
ZOMBIE = "Z"  # has ended, and waits for its parent


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, Any]:
    """Accounts that are planned or in the group: the digest of their keys, and whether they are open."""
    found = {}
    for name in dict.fromkeys([*(name.removeprefix(PREFIX) for name in names), *members()]):
        if item := _look(name):
            found[f"{PREFIX}{name}"] = item
    return found


def apply(change: Change) -> None:
    """Lock out who left, then make or repair accounts."""
    for item in change.removed:
        leave(item.removeprefix(PREFIX))
    for item in change.changed:
        name = item.removeprefix(PREFIX)
        join(name, change.payload["keys"][name])


def members() -> list[str]:
    """Accounts in the group."""
    return list(grp.getgrnam(GROUP).gr_mem) if group_exists(GROUP) else []


def join(name: str, keys: str) -> None:
    """Make the account, or open it again; its keys are these and no others."""
    account = _account(name)
    if account is None:
        run(["useradd", "--create-home", "--shell", SHELL, "--password", "!", name])
        account = pwd.getpwnam(name)
    run(["usermod", "--expiredate", "", "--append", "--groups", GROUP, name])
    run(["chage", "--maxdays", "-1", "--inactive", "-1", name])
    directory = os.path.dirname(keys_path(account))
    if os.path.islink(account.pw_dir) or os.path.islink(directory):
        raise RemoteError(f"{directory} is or is below a link: remove it, then rerun")
    os.makedirs(directory, mode=0o700, exist_ok=True)
    os.chown(directory, account.pw_uid, account.pw_gid)
    os.chmod(directory, 0o700)
    write_atomic(keys_path(account), keys.encode(), 0o600, name, grp.getgrgid(account.pw_gid).gr_name)


def leave(name: str) -> None:
    """End all ways in, then all sessions: first the account, so that no new session begins."""
    account = _account(name)
    if account is None:
        return
    run(["usermod", "--lock", "--expiredate", "1", name])
    remove(keys_path(account))
    end_sessions(account.pw_uid)
    run(["gpasswd", "--delete", name, GROUP])


def end_sessions(uid: int) -> None:
    """End all processes of an account, and what they started as root by sudo; again, for those that began meanwhile."""
    for _ in range(PASSES):
        for process in sorted(processes_of(uid)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def processes_of(uid: int) -> set[int]:
    """Processes of an account and their descendants, but not this process or those above it.

    Containers have accounts of their own with the same numbers: their processes are left alone.
    """
    parents, owners, here = {}, {}, _namespace("self")
    for entry in os.listdir("/proc"):
        if entry.isdigit() and _namespace(entry) == here and (status := read_text(f"/proc/{entry}/status")):
            fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
            if fields["State"].split()[0] == ZOMBIE:
                continue
            parents[int(entry)] = int(fields["PPid"])
            owners[int(entry)] = int(fields["Uid"].split()[0])
    found = {process for process, owner in owners.items() if owner == uid}
    while more := {process for process, parent in parents.items() if parent in found} - found:
        found |= more
    own = os.getpid()
    while own:
        found.discard(own)
        own = parents.get(own, 0)
    return found


def _namespace(process: str) -> str:
    with suppress(OSError):
        return os.readlink(f"/proc/{process}/ns/pid")
    return ""


def keys_path(account: pwd.struct_passwd) -> str:
    """The file that sshd reads the account's keys from."""
    return f"{account.pw_dir}/.ssh/authorized_keys"


def _look(name: str) -> dict[str, Any] | None:
    account = _account(name)
    if account is None:
        return None
    if account.pw_uid < FIRST_UID:
        return {
            "obstacle": f"{name} is an account of the system (uid {account.pw_uid}), and no person can have it: choose "
            "another name in base_operators"
        }
    expires = _expiry(name)
    open_ = name in members() and expires == ""
    return {"keys": digest(keys_path(account)) or "none", "open": open_}


def _expiry(name: str) -> str:
    """The day on which the account ends, as /etc/shadow has it; empty if it never ends."""
    for line in read_text("/etc/shadow").splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) > 7:
            return fields[7]
    return ""


def _account(name: str) -> pwd.struct_passwd | None:
    with suppress(KeyError):
        return pwd.getpwnam(name)
    return None
