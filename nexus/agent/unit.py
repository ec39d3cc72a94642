"""Units of systemd on this host: each runs with the configuration that lies on disk."""

import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

from nexus.agent.file import write_atomic
from nexus.agent.lib import STAMP, RemoteError, digest, read_stamp, refusal, run
from nexus.agent.systemd import log, units, waits

STAYS_SECONDS = 8  # of one that crashed before: longer than most wait before they are started again


def settle(unit: Mapping[str, Any], put_off: bool) -> None:
    """Make the unit run with what lies on disk, by the gentlest way that does it.

    A restart that is refused is an error. With `put_off` it is left for later: what a reload takes is reloaded,
    and the rest of the stamp stays as it is, so that the next look at the unit finds the restart still to be done.
    """
    name = unit["name"]
    paths = [*unit["restart_on"], *unit["reload_on"]]
    now = {path: value for path in paths if (value := digest(path))}
    stamp = read_stamp(name)
    before = units([name])[name]
    active = before["ActiveState"] in ("active", "reloading") and before["SubState"] != "elapsed"  # a timer at its end

    def differs(paths: Iterable[str]) -> bool:
        return stamp is None or any(stamp.get(path) != now.get(path) for path in paths)

    stamped = bool(unit["restart_on"] or unit["reload_on"])
    if active and not (stamped and (differs(unit["restart_on"]) or differs(unit["reload_on"]))):
        if before.get("crashing"):
            stays_up(name)
        return
    reloads = active and stamped and not differs(unit["restart_on"])
    if unit["reload_check"]:
        require(unit["reload_check"])
    if unit["restart_check"] and not reloads and restarts_later(unit, put_off and active and stamp is not None):
        if not differs(unit["reload_on"]):
            return
        reloads, now = True, now | {path: value for path, value in (stamp or {}).items() if path in unit["restart_on"]}
    if reloads:
        run(["systemctl", "reload", name], timeout=180)
        write_stamp(name, {**(stamp or {}), **now})
    else:
        restart(name, before)
    after = units([name])[name]
    if after["ActiveState"] not in ("active", "reloading", "activating") or waits(after):
        raise failure(name, f"{name} does not run: it is {after['ActiveState']} ({after['SubState']})")
    if before.get("crashing"):
        stays_up(name)
    if unit["ready_check"]:
        wait_ready(unit)


def restarts_later(unit: Mapping[str, Any], may_wait: bool) -> bool:
    """Whether its restart is refused and may wait; RemoteError where it is refused and may not."""
    try:
        require(unit["restart_check"])
    except RemoteError as error:
        if not may_wait:
            raise
        print(f"{unit['name']} is restarted later: {error}")
        return True
    return False


def restart(name: str, before: Mapping[str, Any]) -> None:
    """Restart a unit that was as `before`; RemoteError with the last lines of its log where it does not start."""
    if before["ActiveState"] == "failed" or before.get("crashing"):
        run(["systemctl", "reset-failed", name])
    try:
        run(["systemctl", "restart", name], timeout=300)
    except RemoteError as error:
        raise failure(name, str(error)) from None


def failure(name: str, why: str) -> RemoteError:
    """What is wrong with a unit, with the last lines of its log."""
    return RemoteError("\n".join([why, f"last lines of the log of {name}:", *log(name)]))


def stays_up(name: str) -> None:
    """Wait until a unit that has crashed was up for some time; RemoteError where it crashes once more.

    Then its crashes are over: the count of them begins again.
    """
    began, deadline = units([name])[name].get("restarts", 0), time.monotonic() + STAYS_SECONDS
    while time.monotonic() < deadline:
        require_up(name, began)
        time.sleep(0.3)
    run(["systemctl", "reset-failed", name])


def require_up(name: str, restarts: int) -> None:
    """RemoteError where a unit has failed, or was restarted by systemd more often than so many times."""
    now = units([name])[name]
    if now["ActiveState"] == "failed" or waits(now) or now.get("restarts", 0) > restarts:
        raise failure(name, f"{name} does not stay up: systemd has restarted it {now.get('restarts', restarts)} times")


def require(check: str) -> None:
    """RemoteError where a check fails; where no systemd runs there is nobody to ask."""
    if os.path.exists("/run/systemd/system"):
        run(["/bin/sh", "-c", check])


def wait_ready(unit: Mapping[str, Any]) -> None:
    """Wait for up to a minute until a unit that was started does its work."""
    began, deadline = units([unit["name"]])[unit["name"]].get("restarts", 0), time.monotonic() + 60
    while True:
        reason = refusal(unit["ready_check"])
        if reason is None:
            return
        require_up(unit["name"], began)
        if time.monotonic() > deadline:
            raise RemoteError(f"{unit['name']} runs but is not ready after 60 s: {reason}")
        time.sleep(0.5)


def write_stamp(unit: str, now: Mapping[str, str]) -> None:
    os.makedirs(STAMP, exist_ok=True)
    write_atomic(f"{STAMP}/{unit}", "".join(f"{now[path]}  {path}\n" for path in sorted(now)).encode(), 0o644)
