"""An environment with one host for each store, from the real catalogue and defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host, Traits
from nexus.environment.settings import Settings, defaults
from nexus.plan.desired import Desired, File
from nexus.secrets.store import Secrets

GIB = 1024**3
APP, ADDRESS = "10.9.0.21", "10.9.0.31"


def environment(
    directory: Path, memory_gib: int = 16, data: int = 1, without: str = "", prune_data: bool = False, **settings: Any
) -> Environment:
    """Host app1, and hosts data1... with all stores and this much memory; secrets are created in the directory."""
    setting = Settings({**defaults(), **settings})
    traits = Traits(4, memory_gib * GIB, 1500, 0, "x86_64", {"memory": True, "cpu": True})
    stores = {"etcd", "postgresql", "redis", "rabbitmq", "mongodb"}
    hosts = (
        Host("app1", APP, frozenset({"app"}), setting, traits),
        *(Host(f"data{n}", f"10.9.0.{30 + n}", frozenset(stores), setting, traits) for n in range(1, data + 1)),
    )
    secrets = Secrets(directory / "secrets.age", directory / "age.key", generate=True)
    left_out = frozenset(filter(None, without.split(",")))
    return Environment("test", hosts, setting, secrets, left_out=left_out, prune_data=prune_data)


def file(desired: Desired, path: str) -> File:
    """The planned file at a path."""
    return next(item for item in (*desired.early, *desired.files) if item.path == path)


def text(desired: Desired, path: str) -> str:
    """Content of the planned file at a path."""
    return file(desired, path).data.decode()


def told(desired: Desired) -> str:
    """Everything that may be shown, or is sent to the host with every probe, as one text."""
    files = [item.data.decode() for item in (*desired.early, *desired.files) if not item.secret]
    return "\n".join([*files, *(repr(dict(state.items)) for state in desired.states)])
