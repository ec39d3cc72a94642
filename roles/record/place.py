"""Where the record of an environment is kept."""

from __future__ import annotations

from pathlib import Path

from roles.kit.environment import Environment

SOURCE = Path(__file__).with_name("remote.py")


def places(env: Environment) -> list[str]:
    """Its ops hosts, then whoever is first: an environment without ops hosts has a record, too."""
    names = [host.name for host in (*env.group("ops"), *env.hosts) if host.name not in env.left_out]
    return list(dict.fromkeys(names))[: len(env.group("ops")) + 1]
