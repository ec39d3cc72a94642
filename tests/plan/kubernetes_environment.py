"""An environment for tests of Kubernetes: known digests, stores by address and by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nexus.catalogue import load as load_catalogue
from nexus.environment.environment import Environment
from nexus.environment.inventory import load

STORES = {
    "postgresql": "10.0.0.5:6432",
    "postgresql_direct": "10.0.0.5:5432",
    "redis": "redis.stores.svc:6379",
    "redis_cache": "redis-cache.stores.svc:6379",
    "rabbitmq": "queue.example.com:5671",
    "object-storage": "objects.example.com:8333",
}
FULL_SIZE = {"service_cpu_scale": 1.0, "service_memory_scale": 1.0, "service_gpu": True}


def digests() -> dict[str, str]:
    return {name: f"sha256:{number:064x}" for number, name in enumerate(load_catalogue().services)}


def environment(directory: Path, **settings: Any) -> Environment:
    """Production at the catalogue's own size, with secrets in this directory."""
    secrets = {
        "secrets_file": str(directory / "secrets.age"),
        "secrets_identity": str(directory / "age.key"),
        "secrets_generate": True,
    }
    known = {"kubernetes_digests": digests(), "kubernetes_stores": STORES}
    return load("production", {**secrets, **FULL_SIZE, **known, **settings})
