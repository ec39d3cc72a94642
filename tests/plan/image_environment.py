"""Helpers of the image tests: an environment with a registry, its recipe, and the contents of an image."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment, Host
from nexus.environment.settings import Settings, defaults
from nexus.secrets.store import Secrets
from roles.image.checkout import checkout
from roles.image.recipe import Image, Recipe, recipe


@pytest.fixture(autouse=True)
def no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEXUS_SOURCE", raising=False)


def environment(directory: Path, **settings: Any) -> Environment:
    """Two ops hosts, of which the first has the registry, and an app host."""
    setting = Settings({**defaults(), **settings})
    hosts = tuple(
        Host(name, address, frozenset({group}), setting)
        for name, address, group in (
            ("app1", "10.9.0.21", "app"),
            ("ops1", "10.9.0.41", "ops"),
            ("ops2", "10.9.0.42", "ops"),
        )
    )
    return Environment("test", hosts, setting, Secrets(directory / "s.age", directory / "age.key", generate=True))


def cooked(directory: Path, **settings: Any) -> Recipe:
    env = environment(directory, **settings)
    return recipe(env, checkout(env))


def members(image: Image) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(image.context)) as archive:
        return {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]


def dockerfile(image: Image) -> str:
    return members(image)["Dockerfile"].decode()
