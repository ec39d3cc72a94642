"""Restarts for which PostgreSQL's members wait after a change of settings: one after the other, the primary last.

A member looks at etcd every `postgresql_loop_seconds` and acts on what it finds. To have it look at once, send it
settings: that works even if they change nothing.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Any

from nexus.agent.lib import RemoteError
from nexus.agent.wait import tries
from roles.postgresql.host.patroni_api import Patroni

RESTART_SECONDS = 120
WHAT_NEXT = "See the journal of patroni there, fix the cause and rerun this deploy"
NOTHING = {"nexus_cos": None}  # removes a key that does not exist: Patroni never answers an empty change


def look(patroni: Patroni, loop_seconds: float) -> None:
    """Have every member look at etcd now, and give it time to act on what it found."""
    before = looks(patroni)
    time.sleep(1)  # Patroni reports the time of a look in whole seconds
    for name in before:
        wake(patroni, name)
    for _ in tries(3 * loop_seconds, pause=0.3):
        if all(last > before.get(name, 0) for name, last in looks(patroni).items()):
            break
    time.sleep(1)


def looks(patroni: Patroni) -> dict[str, int]:
    """When each member that answers last looked at etcd, in seconds by its own clock."""
    return {name: int(told.get("dcs_last_seen", 0)) for name, told in patroni.states().items()}


def wake(patroni: Patroni, name: str) -> None:
    """Have a member look at etcd now; one that does not answer looks once it can."""
    patroni.ask(name, "PATCH", "/config", NOTHING)


def restart_waiting(patroni: Patroni) -> bool:
    """Restart the members that wait for it, each back before the next; return whether any did.

    A replica that confirms the primary's writes comes after the others: another takes over that part before it stops.
    """
    states = patroni.states()
    primary = patroni.wait_primary(RESTART_SECONDS)
    waiting = [name for name, told in states.items() if told.get("pending_restart")]
    for name in sorted(waiting, key=lambda name: (name == primary, bool(states[name].get("sync_standby")), name)):
        restart(patroni, name, primary)
        wait_back(patroni, name)
    return bool(waiting)


def restart(patroni: Patroni, name: str, primary: str) -> None:
    """Restart one member; it is asked again if Patroni cuts the connection, as it does when it rereads certificates."""
    for _ in tries(RESTART_SECONDS, pause=1):
        status, told = _restarted(patroni, name, primary)
        if status and "in progress" not in str(told):
            break
    if status not in (200, 412):  # 412: it no longer waits for a restart
        raise RemoteError(f"PostgreSQL on {name} could not be restarted: {status} {told}. {WHAT_NEXT}")
    print(f"restarted PostgreSQL on {name} with its new settings")


def _restarted(patroni: Patroni, name: str, primary: str) -> tuple[int, Any]:
    """Patroni's answer; a replica stops only once the primary no longer waits for its confirmations."""
    body = {"restart_pending": True, "timeout": f"{RESTART_SECONDS}s"}
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(patroni.ask, name, "POST", "/restart", body, RESTART_SECONDS + 10)
        while name != primary and not ended(answer, 1):
            wake(patroni, primary)
        return answer.result()


def ended(answer: Any, seconds: float) -> bool:
    """Whether a question is answered within that time."""
    try:
        answer.result(seconds)
    except NotYet:
        return False
    return True


def wait_back(patroni: Patroni, name: str) -> None:
    """Wait until the member is primary or streams again."""
    for _ in tries(RESTART_SECONDS):
        status, told = patroni.ask(name, "GET", "/patroni")
        if (
            status
            and isinstance(told, dict)
            and told.get("state") == "running"
            and (told.get("role") != "replica" or told.get("replication_state") == "streaming")
        ):
            return
    late = f"PostgreSQL on {name} did not come back within {RESTART_SECONDS} s after its restart"
    raise RemoteError(f"{late}. {WHAT_NEXT}")
