"""Virtual hosts and users of the broker on this host, through its management API on localhost.

Objects that we made carry the tag "nexus-cos"; only those are ever reported or removed, apart from the user and
the virtual host that a fresh broker makes itself.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from nexus.agent.change import Change
from roles.rabbitmq.host.api import Api
from roles.rabbitmq.host.planned import TAG

Item = Mapping[str, Any]
Items = dict[str, dict[str, Any]]

HASHING = "rabbit_password_hashing_sha256"
EVENTS = "events"
ARE_NOT_PLANNED = "was not made by this project; if nobody needs it: rabbitmqctl"
UNPLANNED = ("policies", "other users")  # items that are only reported


def probe(names: list[str], context: Item) -> Items:
    """Items of the kind that the context is about; nothing where the broker was never configured."""
    api = Api(context)
    return api.now(lambda: existing(api, names, context), {})


def apply(change: Change) -> None:
    """Make what changed, virtual hosts before what is inside them, and remove what is no longer planned."""
    api = Api(change.context)
    there = api.started(lambda: existing(api, list(change.items), change.context))
    for name in sorted(set(change.changed) - set(UNPLANNED), key=lambda item: not item.startswith("vhost ")):
        make(api, name, change.items[name], there.get(name, {}))
    for name in change.removed:
        kind, _, which = name.partition(" ")
        api.delete("vhosts" if kind == "vhost" else "users", which)


def existing(api: Api, names: Iterable[str], context: Item) -> Items:
    """Planned and marked items of the kind that the context is about."""
    return (users if context["about"] == "users" else vhosts)(api, set(names))


def vhosts(api: Api, names: set[str]) -> Items:
    """Virtual hosts, and the planned exchanges of events."""
    found: Items = {"default vhost": {"present": False}, "policies": foreign_policies(api)}
    limits = {one["vhost"]: one["value"] for one in api.get("vhost-limits")}
    for vhost in api.get("vhosts"):
        name = f"vhost {vhost['name']}"
        if vhost["name"] == "/":
            found["default vhost"] = {"present": True}
        elif name in names or TAG in vhost.get("tags", []):
            states = vhost.get("cluster_state", {})
            found[name] = {
                "default_queue_type": vhost.get("default_queue_type"),
                "limits": limits.get(vhost["name"], {}),
                "stopped on": sorted(node for node, state in states.items() if state == "stopped"),
            }
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
    found: Items = {"default user": {"present": False}, "other users": {}}
    foreign, limits = [], {one["user"]: one["value"] for one in api.get("user-limits")}
    for user in api.get("users"):
        name = f"user {user['name']}"
        if user["name"] == "guest":
            found["default user"] = {"present": True}
        elif name in names or TAG in user["tags"]:
            found[name] = {
                "password": user["password_hash"],
                "administrator": "administrator" in user["tags"],
                "permissions": permissions.get(user["name"], {}),
                "limits": limits.get(user["name"], {}),
            }
        else:
            foreign.append(f"{user['name']} ({', '.join(user['tags']) or 'no administrator'})")
    if foreign:
        found["other users"] = {"note": f"{', '.join(foreign)} may log in and {ARE_NOT_PLANNED} delete_user NAME"}
    return found


def foreign_policies(api: Api) -> dict[str, str]:
    """Policies, which are never planned and change what queues keep: they are reported and left alone."""
    names = [f"{one['name']} of {one['vhost']}" for one in api.get("policies")]
    return {"note": f"{', '.join(names)} {ARE_NOT_PLANNED} clear_policy -p VHOST NAME"} if names else {}


def make(api: Api, name: str, wanted: Item, there: Item) -> None:
    """Make one item as wanted, whatever was there before."""
    kind, _, which = name.partition(" ")
    if name == "default vhost":
        api.delete("vhosts", "/")
    elif name == "default user":
        api.delete("users", "guest")
    elif kind == "vhost":
        kept = {"default_queue_type": wanted["default_queue_type"]}
        api.put({"description": "made from the catalogue", "tags": TAG, **kept}, "vhosts", which)
        for node in there.get("stopped on", []):
            api.send("POST", ("vhosts", which, "start", node))
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
    for limit in there.get("limits", {}):
        api.delete(f"{kind}-limits", which, limit)


def permit(api: Api, user: str, wanted: Item, there: Item) -> None:
    """Exactly the wanted permissions in each virtual host, none in others."""
    for vhost in set(there) - set(wanted):
        api.delete("permissions", vhost, user)
    for vhost, patterns in wanted.items():
        api.put(dict(zip(("configure", "write", "read"), patterns, strict=True)), "permissions", vhost, user)
