"""Single edits of a catalogue, each with the texts that name its new value: pages with one of them must change."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from nexus.catalogue import DIRECTORY, load
from nexus.catalogue.catalogue import Catalogue
from nexus.catalogue.size import Scale, asked
from nexus.environment.environment import Environment
from runbooks.handoff.handoff import Handoff
from runbooks.handoff.page import pages
from tests.plan.handoff_world import COMMIT, lab, observation

FILES = ("services.yaml", "modules.yaml", "gateway.yaml", "operations.yaml")
NUMBER, WORD = 7431, "qzxjw"  # nothing in any catalogue has them
Data = dict[str, Any]
Edit = Callable[[Data, random.Random], list[str]]  # changes the data of all files; returns texts that name the value


def _in(file: str, section: str, field: str, value: Any, where: Callable[[Data], bool] = bool) -> Edit:
    """Set a field of one entry of a list; a dotted section is a list below others."""

    def edit(data: Data, chance: random.Random) -> list[str]:
        entries: Any = data[file]
        for part in section.split("."):
            entries = entries[part]
        entry = chance.choice([one for one in entries if where(one)])
        entry[field] = value
        return [str(value[0] if isinstance(value, list) else value)]

    return edit


def _at(file: str, path: str, value: Any) -> Edit:
    """Set one value by its path."""

    def edit(data: Data, chance: random.Random) -> list[str]:
        entry: Any = data[file]
        *above, last = path.split(".")
        for part in above:
            entry = entry[part]
        assert last in entry, path
        entry[last] = value
        return [str(value)]

    return edit


def _route(data: Data, chance: random.Random) -> list[str]:
    checked = {one["name"] for one in data["services.yaml"]["services"] if "functional" in one}  # by their paths
    routes = data["gateway.yaml"]["routes"]
    route = chance.choice([one for one in routes if one["path"].endswith("/") and one["service"] not in checked])
    route["path"] = f"/api/{WORD}/"
    route["upstream_path"] = "/api/x/"
    return [WORD]


def _threshold(data: Data, chance: random.Random) -> list[str]:
    """Of any rule, in this environment or not."""
    rule = chance.choice([one for one in data["operations.yaml"]["alerts"]["rules"] if "above" in one])
    rule["above"] = NUMBER
    return [str(NUMBER)]


def _size(field: str, value: Any, *more: str) -> Edit:
    """A figure that sums contain, too; they are in `summed`."""

    def edit(data: Data, chance: random.Random) -> list[str]:
        chance.choice(data["services.yaml"]["services"])[field] = value
        return [str(value), *more]

    return edit


services, modules, gateway, operations = FILES
EDITS: dict[str, Edit] = {
    "port": _in(services, "services", "port", 57431),
    "purpose of a service": _in(services, "services", "purpose", f"A {WORD} for tests"),
    "provider outside": _in(services, "services", "external", [WORD]),
    "replicas": _size("replicas", 941),
    "cpu": _size("cpu", f"{NUMBER}m", str(NUMBER)),
    "memory": _size("memory", f"{NUMBER}Mi", f"{NUMBER} MiB", str(NUMBER * 2**20)),
    "namespace": _in(services, "domains", "namespace", f"nexus-{WORD}"),
    "event": _in(services, "events", "name", WORD.capitalize()),
    "consumer outside": _in(services, "events", "outside", [WORD]),
    "version": _at(services, "platform.version", f"9.{NUMBER}"),
    "stated cores": _at(services, "stated_cluster.cpu_cores", NUMBER),
    "variable": _at(services, "environment.common.LOG_LEVEL", WORD),
    "title": _in(modules, "modules", "title", WORD.upper()),
    "purpose of a module": _in(modules, "modules", "purpose", f"A {WORD} for tests"),
    "team": _in(modules, "modules", "team", WORD),
    "stack": _in(modules, "modules", "stack", [WORD]),
    "default target": _at(modules, "default_targets.max_latency_ms", NUMBER),
    "route": _route,
    "timeout": _at(gateway, "timeouts_ms.services.auth-service", NUMBER),
    "limit": _at(gateway, "rate_limits.edge.burst", NUMBER),
    "window": _in(gateway, "rate_limits.windows", "requests", NUMBER),
    "error": lambda data, chance: [*map("| {} |".format, _at(gateway, "errors.timeout", 598)(data, chance))],
    "header": _at(gateway, "security_headers.X-Frame-Options", WORD),
    "handshake": _at(gateway, "handshake.header", f"X-{WORD}"),
    "host name": _in(gateway, "frontends", "hosts", [f"{WORD}.example.com"]),
    "threshold": _threshold,
    "uptime": _at(operations, "slo.uptime_percent", 97.431),
    "p95": _at(operations, "slo.response_ms.api.p95", NUMBER),
    "web vital": _at(operations, "slo.web_vitals.fcp_ms", NUMBER),
    "baseline": _at(operations, "baselines.disk_percent.target", 43.17),
    "severity": _at(operations, "severity.P4.meaning", WORD),
    "escalation": _at(operations, "escalation.unresolved_minutes", NUMBER),
    "scrape": _at(operations, "monitoring.scrape_interval_seconds", NUMBER),
    "dashboard": _in(operations, "monitoring.dashboards", "shows", [WORD]),
    "log field": _at(operations, "logging.index_pattern", f"{WORD}-*"),
    "archive": _at(operations, "logging.retention_archive_days", NUMBER),
    "retention": _at(operations, "backups.database.retention_days", NUMBER),
    "drill": _at(operations, "disaster_recovery.drill_every_days", NUMBER),
    "rto": _at(operations, "disaster_recovery.rto_hours", NUMBER),
    "lag": _at(operations, "failover.postgresql.lag_tolerance_seconds", NUMBER),
    "detection": _at(operations, "failover.single_service.detect_seconds", NUMBER),
    "breaker": _at(operations, "circuit_breaker.full_reset_seconds", NUMBER),
    "rollback": _at(operations, "rollback.triggers.slowdown_percent", NUMBER),
    "canary": _at(operations, "rollout.canary.every_minutes", NUMBER),
    "scaling": _at(operations, "scaling.default.max", 743),
    "tuning": _at(operations, "tuning.postgresql.work_mem", f"{NUMBER}MB"),
    "pool": _at(operations, "tuning.db_pool.acquire_ms", NUMBER),
    "load": _in(operations, "tuning.load_test", "arrivals_per_second", NUMBER),
    "password": _at(operations, "auth_policy.password.min_length", NUMBER),
    "session": _at(operations, "auth_policy.session.idle_minutes", NUMBER),
}


def sums(catalogue: Catalogue) -> Iterator[str]:
    """Texts of sums, by which pages name the figures of all services."""
    total = asked(catalogue, Scale.of({}))
    yield f"| {total.replicas} |"
    yield f"with {total.replicas} replicas"
    yield str(total)


def made(env: Environment) -> dict[str, str]:
    """The pages of an environment whose hosts are as planned."""
    return pages(Handoff.of(env, COMMIT, observation(env)))


def wrong(name: str, before: dict[str, str], directory: Path, chance: random.Random) -> list[str]:
    """Pages that changed and do not name the new value; empty if all are right.

    A page that names it has changed, since no page had it before. Objects of Kubernetes also have figures that follow
    from the value, such as the pods that a disruption may end, and hashes.
    """
    data: Data = {file: yaml.safe_load((DIRECTORY / file).read_text()) for file in FILES}
    texts = EDITS[name](data, chance)
    shutil.copytree(DIRECTORY, directory)
    for file, content in data.items():
        (directory / file).write_text(yaml.safe_dump(content, sort_keys=False))
    env = lab()
    env.__dict__["catalogue"] = load(directory)
    texts += set(sums(env.catalogue)) - set(sums(load()))
    after = made(env)
    names = {path for path, text in after.items() if any(text_of in text for text_of in texts)}
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    derived = {path for path in changed if "/deployment/kubernetes/" in path}
    return sorted(changed - names - derived)
