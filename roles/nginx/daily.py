"""Daily checks of the edge: how many requests were answered with an error."""

from collections.abc import Iterator
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.checks import Check, Found
from nexus.run.row import Row


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Edge hosts are asked for their access log."""
    log = f"{host.setting.nginx_log_directory}/access.log"
    return {"access": {"access_log": log}} if "edge" in host.groups else {}


def access(found: Found) -> Iterator[Row]:
    """The share of 5xx answers at the edge, against the baseline of the error rate."""
    baseline = found.env.catalogue.operations.baselines.error_rate_percent
    for name, one in found.of("access").items():
        share = 100 * one["5xx"] / one["requests"] if one["requests"] else 0.0
        worst = ", ".join(f"{service} {count}" for service, count in one["services"].items())
        advice = f"from {worst}: deploys/logs.py --data service=..." if share > baseline.warning else ""
        value = f"{one['requests']} requests, {one['5xx']} answered 5xx ({share:.2f} %), {one['4xx']} 4xx"
        yield Row("", name, value, f"at most {baseline.warning:g} % 5xx", advice)


CHECKS = {"access-log-errors": Check(access, reads=("access",))}
