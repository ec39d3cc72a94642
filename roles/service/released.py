"""Which release of a service its environment runs.

That is state of the environment and not of anybody's checkout: the swarm keeps a record for each service that
was ever released (runbooks/release), and every plan begins with it. The setting `release` is what a service
without a record starts with.

A record is {"current": Released as a dict, "history": [...], "abandoned": [...]}, newest first; see
runbooks/release/record.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from nexus.environment.environment import Environment


@dataclass(frozen=True)
class Released:
    """One release of one service.

    `config` names the Docker config with the configuration that it ran with. It counts only where `pinned`: a
    service that went back keeps the configuration of that release, any other is given the checkout's.
    """

    release: str
    digest: str = ""  # of its image
    config: str = ""
    pinned: bool = False
    at: str = ""  # since when, ISO 8601 in UTC
    restore_point: str = ""  # PostgreSQL's, from before its migration

    @classmethod
    def of(cls, value: dict[str, Any]) -> Released:
        """From what is kept; what a later version added is passed over."""
        return cls(**{key: value[key] for key in cls.__dataclass_fields__ if key in value})

    def value(self) -> dict[str, Any]:
        """What is kept of it."""
        return asdict(self)


def key(name: str) -> str:
    """Under which a service's record is kept."""
    return f"release {name}"


def released(env: Environment, name: str) -> Released:
    """What the service runs as; of the router too, which has no record."""
    record = env.kept.get(key(name))
    if record:
        return Released.of(record["current"])
    return Released(str(env.setting.release), env.digests.get(name, ""))


def recorded_configs(env: Environment) -> list[str]:
    """Names of the configurations that a rollback may want."""
    found = set()
    for name, record in env.kept.items():
        if name.startswith("release "):
            entries = [record["current"], *record.get("history", ()), *record.get("abandoned", ())]
            found |= {entry.get("config", "") for entry in entries}
    return sorted(found - {""})
