"""A catalogue that was found sound, kept for the next run: as JSON, of which nothing is ever carried out.

It holds for the very files and the very code that it was made from, and is passed over whenever anything about it
is not as it should be.
"""

from __future__ import annotations

import hashlib
import json
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from roles.catalogue import functional, gateway, module, observation, operation, schema, service, tuning
from roles.catalogue.entry import Entry
from roles.catalogue.gateway import GatewayFile
from roles.catalogue.module import ModulesFile
from roles.catalogue.operation import OperationsFile
from roles.catalogue.schema import Schemas
from roles.catalogue.service import ServicesFile
from roles.kit import cached

Files = tuple[ServicesFile, ModulesFile, GatewayFile, OperationsFile, Schemas]
FILE = "catalogue.json"
KINDS = (ServicesFile, ModulesFile, GatewayFile, OperationsFile, Schemas)
MODULES = (functional, gateway, module, observation, operation, schema, service, tuning)
READERS = {"pydantic": "version.py", "yaml": "__init__.py", "pglast": "__init__.py"}  # which name their version


def digest(directory: Path) -> str:
    """Stands for all that decides whether a catalogue is sound; empty where that cannot be read."""
    found = hashlib.sha256(sys.version.encode())
    with suppress(OSError):
        own = Path(__file__).parent
        files = [*sorted(directory.glob("*.yaml")), *sorted((directory / schema.FOLDER).glob("*.sql"))]
        for path in (*files, *sorted(own.glob("*.py")), *_readers()):
            found.update(f"{path.name} {path.stat().st_size}\n".encode() + path.read_bytes())
        return found.hexdigest()
    return ""


def recall(inputs: str) -> Files | None:
    """The files of the catalogue that was found sound with these inputs; None where none is kept, or not safely."""
    with suppress(ValueError, LookupError, TypeError, AttributeError):
        if body := cached.read(FILE, inputs):
            kinds = {name: kind for each in MODULES for name, kind in vars(each).items() if _is_entry(kind)}
            found = tuple(_decoded(part, kinds) for part in json.loads(body))
            if tuple(type(part) for part in found) == KINDS:
                return cast(Files, found)
    return None


def keep(inputs: str, files: Files) -> None:
    """Keep what was found sound."""
    body = json.dumps([_encoded(part) for part in files], separators=(",", ":")).encode()
    cached.write(FILE, inputs, body)


def _readers() -> list[Path]:
    specs = {file: find_spec(name) for name, file in READERS.items()}
    return [Path(spec.origin).with_name(file) for file, spec in specs.items() if spec and spec.origin]


def _is_entry(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Entry)


def _encoded(value: Any) -> Any:
    """An entry as [its kind, its values in the order of its fields], a mapping as itself, a tuple as [null, ...]."""
    if isinstance(value, Entry):
        return [type(value).__name__, *(_encoded(getattr(value, name)) for name in value.FIELDS)]
    if isinstance(value, tuple):
        return [None, *(_encoded(part) for part in value)]
    if isinstance(value, dict):
        return {name: _encoded(part) for name, part in value.items()}
    return value


def _decoded(value: Any, kinds: dict[str, type[Entry]]) -> Any:
    if isinstance(value, list):
        parts = [_decoded(part, kinds) if isinstance(part, list | dict) else part for part in value[1:]]
        if value[0] is None:
            return tuple(parts)
        kind = kinds[value[0]]
        return kind(**dict(zip(kind.FIELDS, parts, strict=True)))
    return {
        name: _decoded(part, kinds) if isinstance(part, list | dict) else part for name, part in value.items()
    }
