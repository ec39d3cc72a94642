"""Ports of a host at which a daemon shows a certificate that the platform renews."""

from dataclasses import dataclass
from typing import Any

from nexus.environment.environment import Host
from roles.certificate.plan import CA, ETCD_CA, ETCD_KEY, ETCD_LEAF, KEY, LEAF


@dataclass(frozen=True)
class Door:
    """A port where `daemon` shows the certificate of the file `leaf`.

    A client there trusts `ca` and shows `leaf` with `key`; `ca` is empty where the certificate is not ours.
    `asks_first` is for PostgreSQL's protocol, which speaks TLS only on request.
    """

    daemon: str
    address: str
    port: int
    leaf: str
    ca: str = ""
    key: str = ""
    asks_first: bool = False

    def __str__(self) -> str:
        return f"{self.daemon} {self.port}"

    def question(self) -> dict[str, Any]:
        """The door as a request to a host names it."""
        place = {"name": str(self), "address": self.address, "port": self.port, "asks first": self.asks_first}
        return {**place, "leaf": self.leaf, "ca": self.ca, "key": self.key}


def door(host: Host, daemon: str, port: Any, asks_first: bool = False) -> Door:
    """A door that shows the host's own leaf."""
    return Door(daemon, host.address, int(port), LEAF, CA, KEY, asks_first)


def etcd_door(host: Host, daemon: str, port: Any) -> Door:
    """A door that shows the host's leaf of etcd's authority."""
    return Door(daemon, host.address, int(port), ETCD_LEAF, ETCD_CA, ETCD_KEY)
