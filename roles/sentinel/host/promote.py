"""A planned change of Redis's primary: it stops taking writes, the replica catches up, the Sentinels promote it.

Sentinel's own failover alone would drop writes that the replica does not have yet.
"""

import contextlib
from collections.abc import Callable, Iterator

from nexus.agent.lib import RemoteError
from nexus.agent.wait import wait_until
from roles.redis.host.client import ReplyError, pairs
from roles.sentinel.host.view import View

PAUSE_MILLISECONDS = 20_000  # writes wait no longer than this, whatever the outcome
PREFERRED, USUAL = 1, 100
SENTINEL_SECONDS = 30  # Sentinels look at a replica's priority every ten seconds
CATCH_UP_SECONDS = 10


def promote(view: View, target: str, force: bool = False) -> None:
    """Make the server at this address the primary; `force` drops the writes that it does not have yet.

    RemoteError if the promotion fails; writes then continue at the old primary.
    """
    old = master(view)
    if old == target:
        return
    try:
        # Each request has its own connection: Sentinel closes connections of servers whose role changes.
        view.server(target)("CONFIG", "SET", "replica-priority", PREFERRED)
        try:
            known = "the Sentinels to know which replica to promote"
            until(lambda: preferred(view, target), SENTINEL_SECONDS, known)
            with paused(view, old):
                if not force:
                    caught_up(view, old, target)
                view.sentinel()("SENTINEL", "FAILOVER", view.name)
                until(lambda: master(view) == target, SENTINEL_SECONDS, "the Sentinels to promote it")
                until(lambda: view.server(target)("ROLE")[0] == "master", CATCH_UP_SECONDS, "it to become primary")
        finally:
            view.server(target)("CONFIG", "SET", "replica-priority", USUAL)
    except (OSError, ReplyError) as error:
        raise RemoteError(f"{view.name}: {error}") from None


def master(view: View) -> str:
    """The primary's address as this host's Sentinel has it."""
    return str(view.watched().get("master", ""))


def preferred(view: View, target: str) -> bool:
    """Whether this host's Sentinel has seen the replica's priority."""
    listed = map(pairs, view.sentinel()("SENTINEL", "REPLICAS", view.name))
    return any(one["ip"] == target and int(one["slave-priority"]) == PREFERRED for one in listed)


@contextlib.contextmanager
def paused(view: View, address: str) -> Iterator[None]:
    """Have the old primary take no writes for a while; a dead one takes none anyway."""
    server = None
    with contextlib.suppress(OSError, ReplyError):
        server = view.server(address)
        server("CLIENT", "PAUSE", PAUSE_MILLISECONDS, "WRITE")
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ReplyError):
            if server:
                server("CLIENT", "UNPAUSE")


def caught_up(view: View, old: str, target: str) -> None:
    """Wait until the replica has everything that the paused primary has."""
    goal = int(view.server(old)("ROLE")[1])
    until(lambda: offset(view, target) >= goal, CATCH_UP_SECONDS, "the replica to catch up; nothing was changed")


def offset(view: View, address: str) -> int:
    """How far a replica has come in its primary's stream."""
    role = view.server(address)("ROLE")
    return int(role[4]) if role[0] == "slave" else -1


def until(done: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until `done`; RemoteError when time is up."""
    wait_until(done, seconds, f"waited {seconds:.0f} s for {what}", pause=0.1)
