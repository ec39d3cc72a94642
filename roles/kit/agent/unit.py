"""Units of systemd on this host: each runs with the configuration that lies on disk."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

from roles.kit.agent.base import STAMP, RemoteError, digest, read_stamp, run
from roles.kit.agent.check import refusal
from roles.kit.agent.file import write_atomic
from roles.kit.agent.systemd import units


def settle(unit: Mapping[str, Any], put_off: bool) -> None:
    """Make the unit run with what lies on disk, by the gentlest way that does it.

    A restart that is refused is an error. With `put_off` it is left for later: what a reload takes is reloaded,
    and the rest of the stamp stays as it is, so that the next look at the unit finds the restart still to be done.
    """
    name = unit["name"]
    paths = [*unit["restart_on"], *unit["reload_on"]]
    now = {path: value for path in paths if (value := digest(path))}
    stamp = read_stamp(name)
    active = units([name])[name]["ActiveState"] in ("active", "reloading")

    def differs(paths: Iterable[str]) -> bool:
        return stamp is None or any(stamp.get(path) != now.get(path) for path in paths)

    stamped = bool(unit["restart_on"] or unit["reload_on"])
    if active and not (stamped and (differs(unit["restart_on"]) or differs(unit["reload_on"]))):
        return
    reloads = active and stamped and not differs(unit["restart_on"])
    if unit["reload_check"]:
        require(unit["reload_check"])
    if unit["restart_check"] and not reloads:
        try:
            require(unit["restart_check"])
        except RemoteError as error:
            if not (put_off and active and stamp):
                raise
            print(f"{name} is restarted later: {error}")
            if not differs(unit["reload_on"]):
                return
            reloads, now = True, {**now, **{path: stamp[path] for path in unit["restart_on"] if path in stamp}}
    if reloads:
        run(["systemctl", "reload", name], timeout=180)
        write_stamp(name, {**(stamp or {}), **now})
    else:
        run(["systemctl", "reset-failed", name]) if units([name])[name]["ActiveState"] == "failed" else None
        try:
            run(["systemctl", "restart", name], timeout=300)
        except RemoteError as error:
            log = run(["journalctl", "--no-pager", "-q", "-n", "15", "-o", "cat", "-u", name])
            raise RemoteError(f"{error}\nlast lines of its log:\n{log}") from None
    if units([name])[name]["ActiveState"] not in ("active", "reloading", "activating"):
        log = run(["journalctl", "--no-pager", "-q", "-n", "15", "-o", "cat", "-u", name])
        raise RemoteError(f"{name} does not run; last lines of its log:\n{log}")
    if unit["ready_check"]:
        wait_ready(unit)


def require(check: str) -> None:
    """RemoteError where a check fails; where no systemd runs there is nobody to ask."""
    if os.path.exists("/run/systemd/system"):
        run(["/bin/sh", "-c", check])


def wait_ready(unit: Mapping[str, Any]) -> None:
    """Wait for up to a minute until a unit that was started does its work."""
    deadline = time.monotonic() + 60
    while True:
        reason = refusal(unit["ready_check"])
        if reason is None:
            return
        if time.monotonic() > deadline:
            raise RemoteError(f"{unit['name']} runs but is not ready after 60 s: {reason}")
        time.sleep(0.5)


def write_stamp(unit: str, now: Mapping[str, str]) -> None:
    os.makedirs(STAMP, exist_ok=True)
    write_atomic(f"{STAMP}/{unit}", "".join(f"{now[path]}  {path}\n" for path in sorted(now)).encode(), 0o644)
