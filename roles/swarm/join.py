"""How a host joins the swarm, or leaves one that no longer lists it: only other hosts of the run know."""

from collections.abc import Iterator
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host

from nexus.run.run import Run, current_run
from roles.swarm.plan import SOURCE, leader, managers


def invitation(run: Run, name: str) -> dict[str, Any]:
    """Context that lets a host join: {"join": {"tokens": {role: token}, "address": "10.0.0.1:2377"}}.

    Without "join" if every other manager answers that it is not in a swarm: then there is none, and the
    first manager makes it. A manager that cannot be asked is an error, since the swarm may still exist
    there. "gathering" tells a manager that missing nodes will join later in this run.
    """
    others = [other for other in managers(run.environment) if other.name not in run.left_out | {name}]
    for other in others:
        answer = run.hosts.ask_source(other.name, SOURCE, ["tokens"], {"want_tokens": True})
        if "tokens" in answer:
            address = f"{other.address}:{run.environment.setting.swarm_port}"
            return {"gathering": True, "join": {"tokens": answer["tokens"], "address": address}}
    return {"gathering": True}


@operation()
def leave_unknown() -> Iterator[str]:
    """Leave a swarm whose managers have removed this node: its own engine does not learn of that."""
    run = current_run()
    if not estranged(run, host.name):
        return
    try:
        yield "docker swarm leave --force"
    finally:
        run.hosts.drop(host.name, cluster=True)


def estranged(run: Run, name: str) -> bool:
    """Whether this host considers itself a node and the managers' list, if there is one, lacks it."""
    own = _items(run, name, "swarm_node").get("node", {})
    listed = _items(run, leader(run.environment).name, "swarm_cluster")
    ids = {item["id"] for what, item in listed.items() if what.startswith("member ")}
    return bool(ids) and own.get("state") == "active" and own["id"] not in ids


def _items(run: Run, name: str, state: str) -> dict[str, Any]:
    items: dict[str, Any] = run.hosts.answer(name)["states"].get(state, {}).get("items", {})
    return items
