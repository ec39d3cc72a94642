"""The lock as a run holds it: taken on the environment's anchor, renewed while the run lives, then released."""

import contextlib
import os
import socket
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import gevent
from pyinfra import logger

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.lock.liveness import dead, identity
from nexus.run.role import Roles
from nexus.transport.fencing_token import permit
from nexus.transport.host_client import HostClient, first_reached
from nexus.workstation import own_name, purpose

SOURCE = Path(__file__).parent / "host/lock.py"
UNLOCK = "pyinfra inventory deploys/unlock.py"


class Lease:
    """One run's claim to the lock of its environment."""

    def __init__(self, env: Environment, roles: Roles) -> None:
        self.env, self.roles = env, roles
        self.holder = holder()
        self.number = 0
        self.anchor = ""
        self._seconds = int(env.setting.lock_lease_seconds)
        self._renewing: gevent.Greenlet | None = None
        self._until = 0.0
        self._asked = False  # for the lock, which may be ours even if a signal came before the answer

    def take(self, floor: int) -> None:
        """Take the lock, with a number above `floor`; OperatorError names the holder if it is held."""
        self.anchor = anchor(self.env, self.roles)
        began, self._asked = time.monotonic(), True
        answer = self._ask("take", floor=floor)
        if dead(answer.get("held") or {}):
            answer = self._take_over(answer["held"], floor)
        if held := answer.get("held"):
            self._asked = False
            raise OperatorError(held_text(self.env, held))
        if answer["where"] == "file" and self.anchor != anchors(self.env, self.roles)[0]:
            self._ask("release")
            first = anchors(self.env, self.roles)[0]
            raise OperatorError(
                f"the lock of {self.env.name} is kept on {first}, which cannot be reached, and etcd does not answer: "
                f"bring {first} back online, or continue without it: --data without={first}"
            )
        self.number = answer["number"]
        permit.give(self.number)
        self._until = began + self._seconds
        self._renewing = gevent.spawn(self._renew)

    def _take_over(self, held: Mapping[str, Any], floor: int) -> dict[str, Any]:
        """Take the lock of a run that died on this machine, instead of waiting until it expires."""
        logger.warning(
            f"    lock: taken over from process {held['process']}, which held it since {held['since']} and is dead"
        )
        self._ask("force_release", of=held["token"])
        return self._ask("take", floor=floor)

    def confirm(self) -> None:
        """Renew the lock if it may have expired while this process slept; OperatorError if it did."""
        if self.number and time.monotonic() > self._until:
            self._renew_now()
        permit.show()

    def release(self) -> None:
        """Release the lock; a lock that cannot be released expires."""
        if self._renewing:
            self._renewing.kill()
        permit.withdraw("it has released its lock")
        if not self._asked:
            return
        try:
            self._ask("release")
        except OperatorError as error:
            logger.warning(f"    lock: could not be released, it expires within {self._seconds} s: {error}")

    def _ask(self, action: str, **more: Any) -> dict[str, Any]:
        """The anchor's answer; for a lock already held, the answer of another member with a quorum will do."""
        try:
            return self._ask_at(self.anchor, action, more)
        except OperatorError:
            if action == "take":
                raise
            for other in anchors(self.env, self.roles):
                with contextlib.suppress(OperatorError):
                    answer = self._ask_at(other, action, more) if other != self.anchor else {"where": "file"}
                    if answer.get("where") != "file":
                        self.anchor = other
                        return answer
            raise

    def _ask_at(self, name: str, action: str, more: Mapping[str, Any]) -> dict[str, Any]:
        context = {**context_of(self.env, self.roles, name), "holder": self.holder, "number": self.number, **more}
        found: dict[str, Any] = HostClient(name).act_aside(SOURCE, action, context, self._patience())
        return found

    def _patience(self) -> float:
        return self._seconds / 2

    def _renew(self) -> None:
        """Renew the lock at intervals while this run lives."""
        while True:
            gevent.sleep(int(self.env.setting.lock_renew_seconds))
            self._renew_now()

    def _renew_now(self) -> None:
        """Renew the lock; a controller that slept learns here whether it still has the lock."""
        began = time.monotonic()
        try:
            answer = self._ask("renew")
        except OperatorError as error:
            if time.monotonic() > self._until:
                permit.withdraw(f"the lock could not be renewed in time ({error})")
            return
        if why := answer.get("lost"):
            permit.withdraw(f"it lost the lock: {why}")
        else:
            self._until = began + self._seconds


def anchors(env: Environment, roles: Roles) -> list[str]:
    """Hosts that keep the lock: those of its store, or the first host of an environment without that store."""
    members = list(roles.lock_store(env).get("endpoints", {}))
    there = [name for name in members or [host.name for host in env.hosts] if name not in env.left_out]
    return there if members else there[:1]


def anchor(env: Environment, roles: Roles) -> str:
    """The first of these hosts that can be reached."""
    return first_reached(anchors(env, roles), f"must keep the lock of {env.name}")


def asked(env: Environment, roles: Roles, action: str) -> dict[str, Any]:
    """The anchor's answer to `look` or `force_release`, for a run that holds no lock; see host/lock.py."""
    name = anchor(env, roles)
    found: dict[str, Any] = HostClient(name).act_aside(SOURCE, action, context_of(env, roles, name))
    return found


def context_of(env: Environment, roles: Roles, name: str) -> dict[str, Any]:
    """The context of the host-side code on this anchor."""
    store, quorum = roles.lock_store(env), None
    if store:
        own = store["endpoints"][name]
        quorum = {**store, "endpoints": [own, *(other for other in store["endpoints"].values() if other != own)]}
    return {"etcd": quorum, "seconds": int(env.setting.lock_lease_seconds)}


def holder() -> dict[str, Any]:
    """Who started this run, where, when and for what; never the values of connection settings."""
    return {
        "token": uuid.uuid4().hex,
        "who": f"{os.environ.get('SUDO_USER') or own_name()}@{socket.gethostname()}",
        "process": os.getpid(),
        **identity(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "purpose": purpose(click.get_current_context().params),
    }


def held_text(env: Environment, held: Mapping[str, Any]) -> str:
    """Why this run cannot have the lock, and what to do."""
    return (
        f"{env.name} is being changed by {held['who']}, process {held.get('process', '?')}, since {held['since']}: "
        f"{held.get('purpose', '')}\nWait until it ends. If it is dead, its lock expires within "
        f"{env.setting.lock_lease_seconds} s. If it hangs, take its lock away: {UNLOCK}"
    )
