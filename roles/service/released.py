"""Which release of a service its environment runs.

The release belongs to the environment, not to a checkout: the swarm keeps a record for each service that was ever
released (runbooks/release), and every plan starts from it. A service without a record starts with the setting
`release`.

A record is {"current": Released as a dict, "history": [...], "abandoned": [...]}, newest first; see
runbooks/release/record.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from nexus.environment.environment import Environment

UNRECORDED = "unrecorded"  # key of an entry that stands for a record, made of what a service runs


@dataclass(frozen=True)
class Released:
    """One release of one service.

    `config` names the Docker config with the configuration that it ran with. It counts only if `pinned`: a service
    that went back keeps the configuration of that release, any other service gets the checkout's.
    """

    release: str
    digest: str = ""  # digest of its image
    config: str = ""
    pinned: bool = False
    at: str = ""  # since when, ISO 8601 in UTC
    restore_point: str = ""  # restore point of PostgreSQL, made before its migration

    @classmethod
    def of(cls, value: dict[str, Any]) -> Released:
        """Read a kept value; fields that a later version added are ignored."""
        return cls(**{key: value[key] for key in cls.__dataclass_fields__ if key in value})

    def value(self) -> dict[str, Any]:
        """The value that the swarm keeps."""
        return asdict(self)


def key(name: str) -> str:
    """The key of a service's record."""
    return f"release {name}"


def released(env: Environment, name: str) -> Released:
    """The release that a service runs; also for the router, which has no record."""
    record = env.kept.get(key(name))
    if record:
        return Released.of(record["current"])
    return Released(str(env.setting.release), env.digests.get(name, ""))


def recorded_configs(env: Environment) -> list[str]:
    """Names of the configurations that a rollback may need."""
    found = set()
    for name, record in env.kept.items():
        if name.startswith("release "):
            entries = [record["current"], *record.get("history", ()), *record.get("abandoned", ())]
            found |= {entry.get("config", "") for entry in entries}
    return sorted(found - {""})
