"""The lock as a run holds it: taken on the environment's anchor, renewed while the run lives, given back."""

from __future__ import annotations

import contextlib
import getpass
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

from roles.etcd.plan import DIRECTORY, TLS, endpoints
from roles.kit.aside import ask_aside, first_reached
from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.kit.permit import permit
from roles.lock.process import dead, identity

SOURCE = Path(__file__).with_name("remote.py")
LIBRARIES = ("roles.etcd.client", "roles.lock.quorum")
UNLOCK = "pyinfra inventory deploys/unlock.py"


class Lease:
    """One run's claim to the lock of its environment."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.holder = holder()
        self.number = 0
        self.anchor = ""
        self._seconds = int(env.setting.lock_lease_seconds)
        self._renewing: gevent.Greenlet | None = None
        self._until = 0.0

    def take(self, floor: int) -> None:
        """Get the lock, with a number above `floor`; OperatorError names who has it."""
        self.anchor = anchor(self.env)
        began = time.monotonic()
        answer = self._ask("take", floor=floor)
        if dead(answer.get("held") or {}):
            answer = self._take_over(answer["held"], floor)
        if held := answer.get("held"):
            raise OperatorError(held_text(self.env, held))
        if answer["where"] == "file" and self.anchor != anchors(self.env)[0]:
            self._ask("release")
            first = anchors(self.env)[0]
            raise OperatorError(
                f"the lock of {self.env.name} is kept on {first}, which cannot be reached, and etcd does not answer: "
                f"bring it back, or go on without it by --data without={first}"
            )
        self.number = answer["number"]
        permit.give(self.number)
        self._until = began + self._seconds
        self._renewing = gevent.spawn(self._renew)

    def _take_over(self, held: Mapping[str, Any], floor: int) -> dict[str, Any]:
        """Get the lock of a run that died on this machine: nobody has to wait until it ends by itself."""
        logger.warning(f"    lock: process {held['process']}, which had it since {held['since']}, is dead: taken over")
        self._ask("break", of=held["token"])
        return self._ask("take", floor=floor)

    def confirm(self) -> None:
        """Make sure of the lock where it may have ended while this process slept; OperatorError when it did."""
        if self.number and time.monotonic() > self._until:
            self._say_so()
        permit.show()

    def release(self) -> None:
        """Give it back; one that cannot be given back ends by itself."""
        if self._renewing:
            self._renewing.kill()
        permit.withdraw("it has given its lock back")
        if not self.number:
            return
        try:
            self._ask("release")
        except OperatorError as error:
            logger.warning(f"    lock: not given back, it ends within {self._seconds} s: {error}")

    def _ask(self, action: str, **more: Any) -> dict[str, Any]:
        """The anchor's answer; for what is held already another member's, where it speaks for the quorum."""
        try:
            return self._ask_at(self.anchor, action, more)
        except OperatorError:
            if action == "take":
                raise
            for other in anchors(self.env):
                with contextlib.suppress(OperatorError):
                    answer = self._ask_at(other, action, more) if other != self.anchor else {"where": "file"}
                    if answer.get("where") != "file":
                        self.anchor = other
                        return answer
            raise

    def _ask_at(self, name: str, action: str, more: Mapping[str, Any]) -> dict[str, Any]:
        context = {**context_of(self.env, name), "holder": self.holder, "number": self.number, **more}
        found: dict[str, Any] = ask_aside(name, SOURCE, action, context, LIBRARIES, self._patience())["lock"]
        return found

    def _patience(self) -> float:
        return self._seconds / 2

    def _renew(self) -> None:
        """Say again and again that this run lives."""
        while True:
            gevent.sleep(int(self.env.setting.lock_renew_seconds))
            self._say_so()

    def _say_so(self) -> None:
        """Renew the lock; a controller that slept learns here what became of it."""
        began = time.monotonic()
        try:
            answer = self._ask("renew")
        except OperatorError as error:
            if time.monotonic() > self._until:
                permit.withdraw(f"the lock could not be renewed in time ({error})")
            return
        if why := answer.get("lost"):
            permit.withdraw(f"it has lost the lock: {why}")
        else:
            self._until = began + self._seconds


def anchors(env: Environment) -> list[str]:
    """Hosts that can speak for the lock: etcd's members; in an environment without etcd its first host."""
    members = [host.name for host in env.group("etcd") or env.hosts if host.name not in env.left_out]
    return members if env.group("etcd") else members[:1]


def anchor(env: Environment) -> str:
    """The first of them that can be reached."""
    return first_reached(anchors(env), f"where the lock of {env.name} is kept")


def asked(env: Environment, action: str) -> dict[str, Any]:
    """The anchor's answer to `look` or `break`, by somebody who holds nothing; see remote.py."""
    name = anchor(env)
    found: dict[str, Any] = ask_aside(name, SOURCE, action, context_of(env, name), LIBRARIES)["lock"]
    return found


def context_of(env: Environment, name: str) -> dict[str, Any]:
    """What the host-side code must know on this anchor."""
    quorum = None
    if env.group("etcd"):
        own = f"{env.host(name).address}:{env.setting.etcd_client_port}"
        known = [own, *(endpoint for endpoint in endpoints(env) if endpoint != own)]
        quorum = {"endpoints": known, "tls": TLS, "directory": DIRECTORY}
    return {"etcd": quorum, "seconds": int(env.setting.lock_lease_seconds)}


def holder() -> dict[str, Any]:
    """Who starts this run, where, when and for what; never the values of connection details."""
    return {
        "token": uuid.uuid4().hex,
        "who": f"{os.environ.get('SUDO_USER') or getpass.getuser()}@{socket.gethostname()}",
        "process": os.getpid(),
        **identity(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "purpose": purpose(click.get_current_context().params),
    }


def purpose(given: Mapping[str, Any]) -> str:
    """The command line in short: what is run, with which data and on which hosts."""
    words = [str(word) for word in given["operations"]]
    words = words[:2] if words[0] == "exec" else words  # its arguments may be anything
    words += [f"--data {word}" for word in given["data"] if not word.startswith(("ssh_", "_"))]
    words += [f"--{option} {word}" for option in ("limit", "exclude") for word in given[option] or ()]
    return " ".join(words)


def held_text(env: Environment, held: Mapping[str, Any]) -> str:
    """Why this run cannot have the lock, and what can be done."""
    return (
        f"{env.name} is being changed by {held['who']}, process {held.get('process', '?')}, since {held['since']}: "
        f"{held.get('purpose', '')}\nWait for its end. If it is dead its lock ends by itself within "
        f"{env.setting.lock_lease_seconds} s; one that hangs loses it by {UNLOCK}"
    )
