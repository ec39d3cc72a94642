"""A checkout of the platform's code: which services have code there, and the files that an image needs.

It is only read. Its layout is that of the handoff docs: services/NAME, with a folder middleware next to services.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nexus.environment.environment import Environment
from nexus.error import OperatorError

if TYPE_CHECKING:
    from nexus.catalogue.service import Service

LEFT_OUT = frozenset({"node_modules", ".git", "__pycache__", ".venv", "Dockerfile", ".dockerignore"})
# What npm must know: a change in the rest of package.json needs no new install.
DEPENDENCY_KEYS = ("dependencies", "optionalDependencies", "peerDependencies", "overrides")
INSTALL_HOOKS = frozenset({"preinstall", "install", "postinstall", "prepare"})


@dataclass(frozen=True)
class Checkout:
    """The code at `path`. One folder may hold at most `limit_bytes`."""

    path: Path
    limit_bytes: int

    def has(self, service: Service) -> bool:
        """Whether there is code to run for the service."""
        return bool(service.source) and (self.path / service.source_folder).is_dir()

    def files(self, folder: str) -> dict[str, bytes]:
        """Content of all files below `folder`, by path in the checkout, without developers' .env files."""
        found: dict[str, bytes] = {}
        size = 0
        for file in _walk(self.path / folder):
            if not file.resolve().is_relative_to(self.path.resolve()):
                raise OperatorError(f"{file} leads out of the checkout: replace the link with a copy, or remove it")
            data = file.read_bytes()
            size += len(data)
            if size > self.limit_bytes:
                raise OperatorError(
                    f"{self.path / folder} holds more than {self.limit_bytes >> 20} MiB: "
                    "move files that are not code elsewhere, or raise image_source_mebibytes"
                )
            found[str(file.relative_to(self.path))] = data
        return found

    def entry(self, service: Service) -> Path:
        """The file that the service starts from; OperatorError when the checkout does not have it."""
        assert service.source is not None
        entry = self.path / service.source_folder / service.source.entry
        if not entry.is_file():
            raise OperatorError(
                f"{entry} is missing: {service.name} starts from it. Fix `entry` of {service.name} "
                "in group_data/catalogue/services.yaml, or fix the checkout"
            )
        return entry

    def dependencies(self, service: Service) -> dict[str, bytes]:
        """The files that `npm install` reads for the service; empty when it needs no packages.

        Services with the same dependencies get the same bytes, so they share one install.
        """
        assert service.source is not None
        folder = self.path / service.source_folder / service.source.package_folder
        manifest = folder / "package.json"
        if not manifest.is_file():
            return {}
        package = _json(manifest)
        lock = folder / "package-lock.json"
        if lock.is_file():
            return {"package.json": manifest.read_bytes(), "package-lock.json": lock.read_bytes()}
        if INSTALL_HOOKS & set(package.get("scripts") or {}):  # a hook may read any file of the folder
            prefix = f"{folder.relative_to(self.path)}/"
            return {name.removeprefix(prefix): data for name, data in self.files(prefix).items()}
        wanted = {key: package[key] for key in DEPENDENCY_KEYS if package.get(key)}
        return {"package.json": json.dumps(wanted, indent=1, sort_keys=True).encode()} if wanted else {}


def source(env: Environment) -> str:
    """The path that the operator gave as the checkout, unchecked; empty if none was given."""
    return str(env.setting.image_source) or os.environ.get("NEXUS_SOURCE", "")


def checkout(env: Environment) -> Checkout | None:
    """The checkout that this run builds from, or None where none is given.

    Raises OperatorError when the given path is not a checkout of the platform.
    """
    if not (given := source(env)):
        return None
    path = Path(given).expanduser()
    if not path.is_dir():
        raise OperatorError(f"NEXUS_SOURCE={given} is not a directory: give the top directory of a checkout")
    folders = [service.source_folder for service in env.catalogue.services.values()]
    if not any((path / folder).is_dir() for folder in folders):
        raise OperatorError(
            f"NEXUS_SOURCE={given} is not a checkout of the platform's code: it has no folder of a service, "
            f"such as {folders[0]}. Give the top directory of the checkout"
        )
    return Checkout(path, env.setting.image_source_mebibytes << 20)


def _walk(folder: Path) -> Iterator[Path]:
    for directory, names, files in os.walk(folder):
        names[:] = sorted(set(names) - LEFT_OUT)
        for name in sorted(files):
            if name not in LEFT_OUT and name != ".env" and not name.startswith(".env."):
                yield Path(directory, name)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise OperatorError(f"{path} is not valid JSON ({error}): npm cannot install from it") from None
    if not isinstance(found, dict):
        raise OperatorError(f"{path} must hold a JSON object, which npm requires")
    return found
