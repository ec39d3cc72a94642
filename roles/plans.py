"""Which role concerns which group: what planning has to know. Deploys call each role on its own line."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from roles.kit.environment import Environment, Host
from roles.kit.model import Desired

Plan = Callable[[Environment, Host], Desired]

GROUPS: dict[str, tuple[str, ...]] = {
    "base": ("all",),
    "certificate": ("all",),
    "storage": ("storage",),
    "etcd": ("etcd",),
    "postgresql": ("postgresql",),
    "pgbouncer": ("postgresql",),
    "redis": ("redis",),
    "sentinel": ("redis",),
    "rabbitmq": ("rabbitmq",),
    "mongodb": ("mongodb",),
    "backup": ("postgresql", "redis", "rabbitmq", "mongodb", "ops"),
    "proxy": ("app",),
    "docker": ("app", "edge", "ops"),
    "registry": ("ops",),
    "image": ("ops",),
    "swarm": ("app", "edge", "ops"),
    "router": ("edge",),
    "service": ("app",),
    "nginx": ("edge",),
    "health": ("edge",),
}
# Roles whose data outlives them on a host that they no longer concern, and where it lies. Such a host leaves a
# cluster last: the others have to take over first.
DATA = {
    "etcd": "/var/lib/etcd",
    "postgresql": "/var/lib/postgresql",
    "pgbouncer": "",
    "redis": "/var/lib/redis",
    "sentinel": "",
    "rabbitmq": "/var/lib/rabbitmq",  # put aside if it joins again
    "mongodb": "/var/lib/mongodb",
}
PINNED = {"service"}  # planned with the digests of images, so again when those are known
KEEPING = {"swarm", "service", "router", "nginx"}  # planned with what the environment keeps, once that is known
CLUSTER = {"swarm", "service"}  # steps of all their hosts together: half of them is not an option


def roles_of(host: Host) -> list[str]:
    """Roles that concern a host, in the order in which they are laid down."""
    return [role for role, groups in GROUPS.items() if host.groups & set(groups)]


def keeper_of(env: Environment) -> str | None:
    """The host that is asked what the environment keeps: the first manager; None where it has none."""
    if not env.group("app"):
        return None
    name: str = importlib.import_module("roles.swarm.plan").leader(env).name
    return name


def plan_of(role: str) -> Plan:
    """The plan function of a role."""
    plan: Plan = importlib.import_module(f"roles.{role}.plan").plan
    return plan


def preflight_of(role: str, env: Environment, host: Host) -> str | None:
    """A shell command that prints why the role cannot work on this host and ends with 1, if it has one.

    It runs with the probe, so what it finds stops the run before anything was changed anywhere.
    """
    check = getattr(importlib.import_module(f"roles.{role}.plan"), "preflight", None)
    command: str | None = check(env, host) if check else None
    return command


def notes_of(role: str, env: Environment) -> list[str]:
    """What an operator should know about the role in this environment, a line each.

    Raises OperatorError where the environment asks for what cannot be.
    """
    check = getattr(importlib.import_module(f"roles.{role}.plan"), "notes", None)
    return list(check(env)) if check else []
