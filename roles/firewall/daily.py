"""Daily checks of the firewall: its rules, and what listens behind them."""

from collections.abc import Iterator
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.checks import Check, Found
from nexus.run.flow import matrix
from nexus.run.row import Row
from nexus.run.run import Run
from roles.firewall.rules import allowed as rules_allowed
from roles.table import ROLES

DHCP = {("udp", 68), ("udp", 546)}  # clients of a host that gets its address from its network


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Every host is asked."""
    return {"listening": {}}


def differences(run: Run, host: Host) -> dict[str, Any]:
    """How the rules in force differ from the plan."""
    return {"differs": [str(change) for change in run.hosts.compare(host.name, "firewall").changes]}


def rules(found: Found) -> Iterator[Row]:
    """Whether each host has the planned rules, or none."""
    for name, own in found.of("firewall").items():
        differs = own["differs"]
        off = not found.env.host(name).setting.firewall_enabled
        now = "; ".join(differs) or ("none" if off else "as planned")
        advice = "firewall_enabled is off" if off else "run deploys/firewall.py, and find out who changed the rules"
        yield Row("", name, now, "as planned", advice if off or differs else "")


def open_ports(found: Found) -> Iterator[Row]:
    """Sockets that no role declares, and that anyone could reach if the firewall were off."""
    declared = [(entry.targets, entry.flow.protocol, entry.flow.port) for entry in matrix(found.env, ROLES)]
    strange = False
    for name, own in found.of("listening").items():
        known = {(protocol, port) for targets, protocol, port in declared if name in targets}
        allowed = {(rule.protocol, rule.port) for rule in rules_allowed(found.env, found.env.host(name))}
        for protocol, port, process in own["sockets"]:
            if (protocol, port) not in known | allowed | DHCP:
                strange = True
                who = process or "the kernel"
                advice = f"end {who}, or name its clients: a flow in the role's flows.py, or firewall_allow"
                yield Row("", f"{name} {protocol} {port}", who, "a declared port", advice)
    if not strange:
        yield Row("", "all hosts", "as declared", "declared ports")


OBSERVED = {"firewall": differences}
CHECKS = {"firewall-rules": Check(rules, reads=("firewall",)), "open-ports": Check(open_ports, reads=("listening",))}
