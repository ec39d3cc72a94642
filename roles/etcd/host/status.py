"""Runs on a host: reports what its member of etcd says. Changes nothing."""

import ssl
from collections.abc import Mapping
from http.client import HTTPSConnection
from typing import Any

from nexus.agent import http
from nexus.agent.etcd import Etcd
from nexus.agent.lib import RemoteError

Item = Mapping[str, Any]
Answer = dict[str, Any]


def etcd(context: Item) -> Answer:
    """Members as this one knows them, whether they agree, and the leader that it names."""
    member = Etcd(context["endpoint"], context["tls"], timeout=3)
    told = member.ask("maintenance/status", {})
    members = member.members(agreed=False)
    try:
        member.members(agreed=True)
        agrees, why = True, ""
    except RemoteError as error:
        agrees, why = False, str(error)
    names = {one["id"]: one["name"] or one["peer"] for one in members}
    return {
        "members": {names[one["id"]]: one["votes"] for one in members},
        "agrees": agrees,
        "why": why,
        "leader": names.get(told.get("leader", ""), ""),
        "bytes": int(told.get("dbSize", 0)),
        "errors": list(told.get("errors") or []),
        "open": open_to_all(context),
    }


def open_to_all(context: Item) -> bool:
    """Whether etcd answers clients without a certificate: a client that writes there decides which host is primary."""
    host, _, port = context["endpoint"].rpartition(":")
    nobody = ssl.create_default_context(cafile=context["tls"]["ca"])
    try:
        return http.ask(HTTPSConnection(host, int(port), timeout=3, context=nobody), "GET", "/version").status == 200
    except OSError:
        return False


PARTS = {"etcd": etcd}
