"""What services run with: each variable and file, its origin, and the running value where that differs."""

import json
from collections.abc import Container, Mapping, Sequence
from typing import Any

from nexus.catalogue import Service
from nexus.environment.environment import Environment
from nexus.environment.fingerprint import keyed_hash
from nexus.run.run import Run
from nexus.run.runbook import Report
from roles.service.access import PLAIN
from roles.service.contents import CONFIG, config, credentials, logins, mounted
from roles.service.released import released
from roles.service.scale import size
from roles.service.stack import image
from roles.swarm.plan import STORE
from runbooks.daily import arguments

MARK_CHARACTERS = 8  # of a secret's keyed hash: equal marks mean equal values
NOTHING = "nothing"
Row = dict[str, str]  # name, value, source, and `now`: the running value, empty if it is the same or unknown


def read(run: Run, services: Sequence[str] = (), as_json: bool = False) -> Report:
    """The rows of the named services, or of all."""
    env = arguments.with_kept(run, {})
    names = services or list(env.catalogue.services)
    items = run.hosts.answer(arguments.manager(run))["states"].get("service", {}).get("items", {})
    told = {name: rows(env, env.catalogue.service(name), items.get(f"service {name}", {})) for name in names}
    if as_json:
        return Report(json.dumps({"environment": env.name, "services": told}, indent=1))
    return Report("\n".join(line for name, each in told.items() for line in (f"== {name}", *map(_text, each))))


def _text(row: Row) -> str:
    now = f"   NOW: {row['now']}" if row["now"] else ""
    return f"  {row['name']:<25} {row['source']:<31} {row['value']}{now}".rstrip()


def rows(env: Environment, service: Service, found: Mapping[str, Any]) -> list[Row]:
    """The planned values of a service next to those that a manager `found`: nothing if the swarm lacks the service."""
    name, files, secret = service.name, mounted(env, service), credentials(env, service)
    values = dict(line.split("=", 1) for line in found.get("configuration", "").splitlines())
    plain = config(env, service) if files[CONFIG][1] else values  # after a rollback only the swarm has them
    planned, running = image(env, name), found.get("image", NOTHING)
    if "@" not in planned:  # the registry's host was not asked
        running = running.partition("@")[0]
    kept = {kind: STORE for kind in ("release", "replicas") if f"{kind} {name}" in env.kept}
    table = {
        "image": (planned, "registry"),
        "release": (released(env, name).release, kept.get("release", "setting release")),
        "replicas": (str(size(env, service).replicas), kept.get("replicas", "catalogue, settings")),
        "port": (str(service.port), "catalogue"),
        **{key: (plain.get(key, NOTHING), source(env, service, key)) for key in sorted({*plain, *values, *secret})},
        **{path: (item, "swarm") for path, (item, _) in files.items()},
    }
    for key, value in secret.items():  # credentials are read last, so they win
        shown = value if key in PLAIN else f"(secret {keyed_hash(env, value)[:MARK_CHARACTERS]})"
        table[key] = (shown, table[key][1])
    tag = running.partition("@")[0].rpartition(":")[2]
    now = {"image": running, "release": tag, "replicas": str(found.get("replicas", NOTHING))}
    now |= dict.fromkeys(files, NOTHING) | dict(line.split(": ", 1) for line in found.get("files", ()))
    if values:
        now |= {key: values.get(key, NOTHING) for key in {*plain, *values} - {*secret}}
        now["port"] = values.get("PORT", NOTHING)
    return [
        {"name": key, "value": value, "source": place, "now": "" if now.get(key, value) == value else now[key]}
        for key, (value, place) in table.items()
    ]


def source(env: Environment, service: Service, name: str) -> str:
    """The origin of a variable's value."""
    setting, now = env.setting, released(env, service.name)
    places: dict[str, Container[str]] = {
        **logins(env, service),
        "setting service_external_keys": setting.service_external_keys,
        "secret service/jwt": ("JWT_SECRET", "JWT_SECRETS_ACCEPTED"),
        f"release {now.release}": (name if now.pinned else "RELEASE",),
        "setting service_environment_of": setting.service_environment_of.get(service.name, {}),
        "setting service_environment": setting.service_environment,
    }
    return next((place for place, names in places.items() if name in names), "catalogue")
