"""Ports of a host at which a daemon shows a certificate that the platform renews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nexus.environment.environment import Host
from roles.certificate.plan import CA, ETCD_CA, ETCD_KEY, ETCD_LEAF, KEY, LEAF


@dataclass(frozen=True)
class Door:
    """A port where `daemon` shows the certificate of the file `leaf`.

    Who asks there trusts `ca` and shows `leaf` with `key`; no `ca` where the certificate is none of ours. PostgreSQL's
    protocol `asks_first`: it speaks TLS only once it was asked to.
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
        """How a host is told of it."""
        place = {"name": str(self), "address": self.address, "port": self.port, "asks first": self.asks_first}
        return {**place, "leaf": self.leaf, "ca": self.ca, "key": self.key}


def door(host: Host, daemon: str, port: Any, asks_first: bool = False) -> Door:
    """One that shows the host's own leaf."""
    return Door(daemon, host.address, int(port), LEAF, CA, KEY, asks_first)


def etcd_door(host: Host, daemon: str, port: Any) -> Door:
    """One that shows the host's leaf of etcd's authority."""
    return Door(daemon, host.address, int(port), ETCD_LEAF, ETCD_CA, ETCD_KEY)
