"""Rows about the swarm: its managers and its nodes."""

from collections.abc import Iterator
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.environment.quorum import majority
from nexus.run.row import Answers, Row, told, unreachable_lines
from roles.swarm.plan import managers, nodes

SHARED = ("health-dashboard",)  # daily checks that these rows answer


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Managers are asked for all nodes."""
    asked = {manager.name for manager in managers(env)} if env.group("app") else set()
    return {"swarm": {}} if host.name in asked else {}


def rows(env: Environment, answers: Answers, now: float) -> Iterator[Row]:
    """Managers that agree, and nodes that accept tasks."""
    if not env.group("app"):
        return
    names = [host.name for host in managers(env)]
    yield from unreachable_lines(answers, "swarm", names)
    views = [answer["nodes"] for answer in told(answers, "swarm", names).values()]
    if not views:
        return
    view = views[0]
    there = [name for name, node in view.items() if node["manager"] and node["reachable"]]
    least = majority(len(names))
    leader = next((name for name, node in view.items() if node["leader"]), "no manager")
    advice = "" if len(there) == len(names) else "bring the managers that are down back online: docker node ls"
    yield Row("swarm", "managers", f"{len(there)} of {len(names)} reachable, {leader} leads", f"{least} agree", advice)
    ready = [name for name, node in view.items() if node["state"] == "ready"]
    away = [name for name in ready if view[name]["availability"] != "active"]
    value = f"{len(ready)} of {len(nodes(env))} ready" + (f", {', '.join(away)} drained" if away else "")
    down = sorted(set(view) - set(ready))
    advice = f"{', '.join(down)}: bring them back online, or run without them" if len(ready) < len(nodes(env)) else ""
    yield Row("swarm", "nodes", value, "all", advice)
