"""Rows about the public certificate: how long it lasts, and whether every edge host shows it."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from nexus.environment.environment import Environment, Host
from nexus.run.row import Answers, Row, duration, told, unreachable_lines
from roles.acme.host.places import RECORD
from roles.acme.settings import enabled

SHARED = ("certificate-expiry", "certificate-dates")  # daily checks that these rows answer
SHARE = 0.3  # of a life: below it a renewal is late


def question(env: Environment, host: Host) -> dict[str, Any]:
    """Every ops host is asked."""
    return {"acme": {"record": RECORD}} if enabled(env) and "ops" in host.groups else {}


def rows(env: Environment, answers: Answers, now: float) -> Iterator[Row]:
    """A row of the certificate by the host that knows the newest one, and one for each edge host."""
    if not enabled(env):
        return
    hosts = [host.name for host in env.group("ops")]
    yield from unreachable_lines(answers, "acme", hosts)
    said = told(answers, "acme", hosts)
    if not said:
        return
    name, known = max(said.items(), key=lambda item: float(item[1].get("begins", 0)))
    yield _certificate(name, known, now)
    for edge in env.group("edge"):
        yield _edge(edge.name, known)


def _certificate(name: str, known: Mapping[str, Any], now: float) -> Row:
    look = f"journalctl -u nexus-acme on {name}, then deploys/edge.py"
    if "ends" not in known:
        value = f"none yet: {known['reason']}" if known.get("reason") else "none yet"
        return Row("public certificate", "all names", value, "valid", look)
    left, life = known["ends"] - now, known["ends"] - known["begins"]
    value = f"{duration(left)} left" if left > 0 else f"ended {duration(-left)} ago"
    value += f", by {urlsplit(known['authority']).hostname or 'an unknown authority'}"
    if known.get("reason"):
        value += f"; the renewal fails: {known['reason']}"
    advice = look if left < SHARE * life else ""
    return Row("public certificate", ", ".join(known["names"]), value, f"{duration(SHARE * life)} or more", advice)


def _edge(name: str, known: Mapping[str, Any]) -> Row:
    one = known.get("edges", {}).get(name, {"error": "was not asked yet"})
    right = "serial" in known and one.get("serial") == known["serial"]
    value = "shows it" if right else one.get("error") or "shows another certificate"
    return Row("public certificate", name, value, "shows it", "" if right else "deploys/edge.py")
