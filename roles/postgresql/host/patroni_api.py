"""What a host asks Patroni's members over their REST API, with its own certificate."""

import base64
import json
import os
from collections.abc import Mapping
from http.client import HTTPSConnection
from typing import Any

from nexus.agent import http
from nexus.agent.lib import RemoteError, once
from nexus.agent.tls import mutual
from nexus.agent.wait import tries

LEADERS = ("leader", "master", "standby_leader")  # what /cluster calls who holds the leader's key


class Patroni:
    """The members of a cluster; `context` is what the role's plan tells (members, rest_port, tls, api, ...)."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        self.members: dict[str, str] = dict(context["members"])
        self.port, self.login = context["rest_port"], ":".join(context["api"])
        tls = context["tls"]
        self.tls = mutual(tls["ca"], tls["certificate"], tls["key"])

    def ask(self, member: str, method: str, path: str, body: Any = None, timeout: float = 5) -> tuple[int, Any]:
        """Status and answer of one request; status 0 and the reason where there is no answer."""
        content = json.dumps(body).encode() if body is not None else None
        secret = base64.b64encode(self.login.encode()).decode()
        headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/json"}
        connection = HTTPSConnection(self.members[member], self.port, timeout=timeout, context=self.tls)
        try:
            reply = http.ask(connection, method, path, headers, content)
        except OSError as error:
            return 0, str(error)
        text = reply.body.decode(errors="replace")
        try:
            return reply.status, json.loads(text)
        except ValueError:
            return reply.status, text.strip()

    def states(self) -> dict[str, dict[str, Any]]:
        """What each member that answers says about itself."""
        answers = {name: self.ask(name, "GET", "/patroni") for name in self.members}
        return {name: told for name, (status, told) in answers.items() if status and isinstance(told, dict)}

    def primary(self) -> str | None:
        """The member that holds the leader's key, None while nobody does.

        It may be one whose host left the inventory and still runs: the others know of it.
        """

        def leads(name: str) -> bool:
            return self.ask(name, "GET", "/primary")[0] == 200

        if found := next(filter(leads, self.members), None):
            return found
        self.members |= {name: one["host"] for name, one in self.listed().items() if one.get("host")}
        return next(filter(leads, self.members), None)

    def listed(self) -> dict[str, dict[str, Any]]:
        """All members by name as the first one that answers lists them, planned or not."""
        for name in self.members:
            status, told = self.ask(name, "GET", "/cluster")
            if status == 200:
                return {str(one["name"]): one for one in told["members"]}
        return {}

    def seen(self) -> dict[str, dict[str, Any]]:
        """What `listed` says, asked once for all states of a probe."""
        found: dict[str, dict[str, Any]] = once(self.listed, "patroni", *self.members.values())
        return found

    def probed_primary(self, seconds: float) -> str:
        """Address of the primary by what was seen; where there was none it is waited for, as `wait_primary` does."""
        for one in self.seen().values():
            if one.get("role") in LEADERS and one.get("host"):
                return str(one["host"])
        return self.members[self.wait_primary(seconds)]

    def wait_primary(self, seconds: float, role: str = "") -> str:
        """The primary, waited for; RemoteError with what the members say when there is none in time.

        With `role` also where another host has failed in it, so that none can come.
        """
        for _ in tries(seconds, role=role):
            if found := self.primary():
                return found
        states = self.states()
        said = ", ".join(
            f"{name} is {states[name].get('role', '?')}, {states[name].get('state', '?')}"
            if name in states
            else f"{name} does not answer"
            for name in self.members
        )
        raise RemoteError(
            f"no PostgreSQL primary after {seconds:.0f} s: {said}. There `patronictl -c "
            "/etc/patroni/config.yml list` and the journal of patroni and etcd say more"
        )


def installed(context: Mapping[str, Any]) -> bool:
    """Whether this host is a member already, so that a silence means something."""
    return os.path.exists(context["config"])
