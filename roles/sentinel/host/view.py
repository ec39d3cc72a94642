"""What one Redis instance looks like from a host: its own server and Sentinel, and those of the others.

It only asks and changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from roles.redis.host.client import Client, ReplyError, pairs

Item = Mapping[str, Any]
FIGURES = ("port", "quorum", "down-after-milliseconds", "failover-timeout", "parallel-syncs")


class NotYetError(Exception):
    """A condition is not met yet; the text says what is missing."""


class View:
    """One instance, as this host sees it. `hosts` are addresses in the inventory's order."""

    def __init__(self, context: Item, instance: Item) -> None:
        self.context, self.name, self.port = context, str(instance["master"]), int(instance["port"])
        self.path, self.address = str(instance["socket"]), str(context["address"])
        self.hosts: Mapping[str, str] = context["hosts"]
        self.there = [address for address in self.hosts if address not in context["left_out"]]

    def sentinel(self, address: str | None = None) -> Client:
        """The Sentinel of this host, or of another one."""
        if address in (None, self.address):
            return Client.local(self.context["socket"], *self.context["admin"])
        return self._remote(str(address), self.context["port"])

    def server(self, address: str | None = None) -> Client:
        """The server of this host, or of another one."""
        if address in (None, self.address):
            return Client.local(self.path, *self.context["admin"])
        return self._remote(str(address), self.port)

    def _remote(self, address: str, port: int) -> Client:
        return Client.remote(address, port, self.context["ca"], *self.context["admin"])

    def followed(self) -> str:
        """The primary that this host's server follows, or its own address if it is primary; "" at another port."""
        return self.follows(self.server()("ROLE"))

    def follows(self, role: list[Any]) -> str:
        """The same, from the server's answer to ROLE."""
        if role[0] == "master":
            return self.address
        return str(role[1]) if role[2] == self.port else ""

    def voice(self, address: str) -> tuple[int, str] | None:
        """(configuration epoch, primary's address) as one Sentinel has them; None if it watches no primary."""
        try:
            view = self._master(self.sentinel(address))
        except (OSError, ReplyError) as error:
            raise NotYetError(f"the Sentinel of {self.hosts[address]} cannot be queried: {error}") from None
        return (int(view["config-epoch"]), view["ip"]) if view else None

    def node(self, address: str) -> tuple[str | None, int]:
        """The primary that a server follows, and the number of its keys."""
        role, keys = self._replies(address, "ROLE", "DBSIZE")
        return (str(role[1]) if role[0] == "slave" else None), int(keys)

    def replicas(self, address: str) -> list[str]:
        """Addresses of the replicas that a server reports."""
        (role,) = self._replies(address, "ROLE")
        return [str(replica[0]) for replica in role[2]] if role[0] == "master" else []

    def _replies(self, address: str, *commands: str) -> list[Any]:
        try:
            server = self.server(address)
            return [server(command) for command in commands]
        except (OSError, ReplyError) as error:
            raise NotYetError(f"the Redis of {self.hosts[address]} cannot be queried: {error}") from None

    def watched(self) -> dict[str, Any]:
        """What this host's Sentinel knows: its figures, and hosts that it lacks or should not know; else nothing."""
        sentinel = self.sentinel()
        view = self._master(sentinel)
        if not view:
            return {}
        servers = {view["ip"], *self._listed(sentinel, "REPLICAS")}
        sentinels = {self.address, *self._listed(sentinel, "SENTINELS")}
        there = set(self.there)
        return {
            **{key: int(view[key]) for key in FIGURES},
            "authenticates": self._credentials() == list(self.context["sentinel"]),
            "missing": sorted((there - servers) | (there - sentinels)),
            "stale": sorted((servers | sentinels) - set(self.hosts)),
            "master": view["ip"],
            "flags": view["flags"],
        }

    def strangers(self, address: str) -> bool:
        """Whether another host's Sentinel knows servers or Sentinels that are not in the inventory."""
        sentinel = self.sentinel(address)
        known = [ip for kind in ("REPLICAS", "SENTINELS") for ip in self._listed(sentinel, kind)]
        return not set(known) <= set(self.hosts)

    def remembered(self) -> bool:
        """Whether any Sentinel knows this host's server as a replica: then its keys are old copies."""
        for address in self.hosts:
            try:
                if self.address in self._listed(self.sentinel(address), "REPLICAS"):
                    return True
            except (OSError, ReplyError):
                continue
        return False

    def _master(self, sentinel: Client) -> dict[str, str]:
        try:
            return pairs(sentinel("SENTINEL", "MASTER", self.name))
        except ReplyError as error:
            if "No such master" in str(error):
                return {}
            raise

    def _listed(self, sentinel: Client, kind: str) -> list[str]:
        return [pairs(entry)["ip"] for entry in sentinel("SENTINEL", kind, self.name)]

    def _credentials(self) -> list[str]:
        """The login of this host's Sentinel at servers: it never reports the login, but writes it to its file."""
        found = {}
        with open(self.context["state"], errors="replace") as stream:
            for words in map(str.split, stream):
                if len(words) == 4 and words[1] in ("auth-user", "auth-pass") and words[2] == self.name:
                    found[words[1]] = words[3].strip('"')
        return [found.get("auth-user", ""), found.get("auth-pass", "")]
