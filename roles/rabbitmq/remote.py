"""Virtual hosts and users of the broker on this host, by its management API on localhost.

What we made carries the tag "nexus-cos"; only that is ever reported or removed, beside the user and the
virtual host that a fresh broker makes itself.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import time
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

from roles.kit.agent.base import RemoteError

Item = Mapping[str, Any]
Items = dict[str, dict[str, Any]]

TAG = "nexus-cos"
READY_SECONDS = 120  # Erlang starts slowly where processors are busy
HASHING = "rabbit_password_hashing_sha256"
EVENTS = "events"
CONFIGURED = "/etc/rabbitmq/definitions.json"


def probe(names: list[str], context: Item) -> Items:
    """Items of the kind that the context is about; nothing where the broker was never configured."""
    api = Api(context)
    try:
        return existing(api, names, context)
    except (ConnectionRefusedError, Refused) as error:
        if os.path.exists(CONFIGURED):
            raise RemoteError(f"RabbitMQ does not run or does not let us in: {error}") from None
        return {}
    finally:
        api.close()


def apply(
    items: Mapping[str, Item], changed: list[str], removed: list[str], context: Item, payload: Item
) -> None:
    """Make what changed, virtual hosts before what is inside them, and remove what has to go."""
    api = Api(context)
    try:
        there = wait(api, list(items), context)
        for name in sorted(changed, key=lambda item: not item.startswith("vhost ")):
            make(api, name, items[name], there.get(name, {}))
        for name in removed:
            kind, _, which = name.partition(" ")
            api.delete("vhosts" if kind == "vhost" else "users", which)
    finally:
        api.close()


def existing(api: Api, names: Iterable[str], context: Item) -> Items:
    """Planned and marked items of the kind that the context is about."""
    return (users if context["about"] == "users" else vhosts)(api, set(names))


def vhosts(api: Api, names: set[str]) -> Items:
    """Virtual hosts, and the planned exchanges of events."""
    found: Items = {"default vhost": {"present": False}}
    for vhost in api.get("vhosts"):
        name = f"vhost {vhost['name']}"
        if vhost["name"] == "/":
            found["default vhost"] = {"present": True}
        elif name in names or TAG in vhost.get("tags", []):
            found[name] = {"default_queue_type": vhost.get("default_queue_type")}
    if f"vhost {EVENTS}" in found:
        for exchange in api.get("exchanges", EVENTS):
            name = f"exchange {exchange['name']}"
            if name in names:
                found[name] = {"type": exchange["type"], "durable": exchange["durable"]}
    return found


def users(api: Api, names: set[str]) -> Items:
    """Users with the hash of their password and their permissions."""
    permissions: dict[str, dict[str, list[str]]] = {}
    for entry in api.get("permissions"):
        patterns = [entry[verb] for verb in ("configure", "write", "read")]
        permissions.setdefault(entry["user"], {})[entry["vhost"]] = patterns
    found: Items = {"default user": {"present": False}}
    for user in api.get("users"):
        name = f"user {user['name']}"
        if user["name"] == "guest":
            found["default user"] = {"present": True}
        elif name in names or TAG in user["tags"]:
            found[name] = {
                "password": user["password_hash"],
                "administrator": "administrator" in user["tags"],
                "permissions": permissions.get(user["name"], {}),
            }
    return found


def make(api: Api, name: str, wanted: Item, there: Item) -> None:
    """Make one item as wanted, whatever was there before."""
    kind, _, which = name.partition(" ")
    if name == "default vhost":
        api.delete("vhosts", "/")
    elif name == "default user":
        api.delete("users", "guest")
    elif kind == "vhost":
        body = {"description": "made from the catalogue", "tags": TAG, **wanted}
        api.put(body, "vhosts", which)
    elif kind == "exchange":
        if there:  # its properties cannot be changed in place
            api.delete("exchanges", EVENTS, which)
        api.put({**wanted, "auto_delete": False, "arguments": {}}, "exchanges", EVENTS, which)
    else:
        tags = f"administrator,{TAG}" if wanted["administrator"] else TAG
        body = {"password_hash": wanted["password"], "hashing_algorithm": HASHING, "tags": tags}
        api.put(body, "users", which)
        if "permissions" in wanted:
            permit(api, which, wanted["permissions"], there.get("permissions", {}))


def permit(api: Api, user: str, wanted: Item, there: Item) -> None:
    """Exactly the wanted permissions in each virtual host, none in others."""
    for vhost in set(there) - set(wanted):
        api.delete("permissions", vhost, user)
    for vhost, patterns in wanted.items():
        api.put(dict(zip(("configure", "write", "read"), patterns, strict=True)), "permissions", vhost, user)


def wait(api: Api, names: list[str], context: Item) -> Items:
    """What is there, asked until the broker has started; RemoteError when it does not in time."""
    end = time.monotonic() + READY_SECONDS
    while True:
        try:
            return existing(api, names, context)
        except (ConnectionRefusedError, http.client.RemoteDisconnected, Refused) as error:
            if time.monotonic() > end:
                what = f"RabbitMQ did not let {context['user']} in within {READY_SECONDS} s"
                raise RemoteError(f"{what}: {error}") from None
            api.close()
            time.sleep(0.5)


class Refused(Exception):
    """The broker does not know the administrator, or is about to start or stop."""


class Api:
    """The management API over one connection."""

    def __init__(self, context: Item) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", context["port"], timeout=30)
        pair = f"{context['user']}:{context['password']}".encode()
        self.headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def get(self, *path: str) -> list[dict[str, Any]]:
        """All entries at a path."""
        found: list[dict[str, Any]] = json.loads(self.send("GET", path))
        return found

    def put(self, body: Item, *path: str) -> None:
        """Make an entry, or change it."""
        self.send("PUT", path, json.dumps(dict(body)))

    def delete(self, *path: str) -> None:
        """Remove an entry if it is there."""
        self.send("DELETE", path)

    def send(self, method: str, path: tuple[str, ...], body: str | None = None) -> bytes:
        """The answer's body; Refused while there is no way in, RemoteError for any other failure."""
        address = "/api/" + "/".join(urllib.parse.quote(part, safe="") for part in path)
        self.connection.request(method, address, body, self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status in (401, 503):
            raise Refused(f"{method} {address} answered {answer.status}")
        if answer.status >= 300 and (method, answer.status) != ("DELETE", 404):
            raise RemoteError(f"RabbitMQ: {method} {address} answered {answer.status}: {text.decode()[:300]}")
        return text

    def close(self) -> None:
        """Drop the connection; the next request makes a new one."""
        self.connection.close()
