"""Settings that belong to an environment and not to a checkout: what it keeps of them wins over group data.

Runbooks write them (roles/daily), into the swarm's own store (roles/swarm/kept.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from roles.kit.settings import Settings

# kind of what is kept -> the setting that it adds to
NUMBERS = {"replicas": "service_replicas"}
NAMES = {"drained": "swarm_drained", "maintenance": "nginx_maintenance"}


def overlay(setting: Settings, kept: Mapping[str, Any], services: Collection[str]) -> Settings:
    """The settings with what the environment keeps, {"KIND NAME": value}; nothing of services that left."""
    values = dict(setting)
    for key, value in kept.items():
        kind, _, name = key.partition(" ")
        if kind in NUMBERS and name in services:
            values[NUMBERS[kind]] = {**values[NUMBERS[kind]], name: value["value"]}
        elif kind in NAMES and name not in values[NAMES[kind]]:
            values[NAMES[kind]] = [*values[NAMES[kind]], name]
    return Settings(values)
