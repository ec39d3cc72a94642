"""Rows about the shared address: which edge host holds it."""

from collections.abc import Iterator
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.row import Answers, Row, told, unreachable_lines
from roles.keepalived.plan import shared_address


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Edge hosts are asked whether they have the address."""
    shared = shared_address(env) if "edge" in host.groups else None
    return {"edge_address": {"address": str(shared.ip)}} if shared else {}


def rows(env: Environment, answers: Answers, now: float) -> Iterator[Row]:
    """One row: the host that holds the address."""
    shared = shared_address(env)
    if not shared:
        return
    names = [host.name for host in env.group("edge")]
    yield from unreachable_lines(answers, "edge_address", names)
    said = told(answers, "edge_address", names)
    holders = [name for name, answer in said.items() if answer["held"]]
    advice = ""
    if not holders:
        advice = "no host has it: start nginx and keepalived there, or run deploys/edge.py"
    elif len(holders) > 1:
        advice = "they do not reach each other: see journalctl -u keepalived there, and run deploys/firewall.py"
    yield Row("edge", f"address {shared.ip}", " and ".join(holders) or "nobody", "one host", advice)
