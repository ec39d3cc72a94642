"""First schemas as they are read: each file that a service names, and all that is wrong with it or with naming it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from roles.catalogue import statement
from roles.catalogue.document import Document
from roles.catalogue.errors import Problem, nearest
from roles.catalogue.schema import FOLDER, Schema, Schemas
from roles.catalogue.service import ServicesFile

STORE = "postgresql"


def read(doc: Document[ServicesFile], directory: Path) -> tuple[Schemas, list[Problem]]:
    """The files that services name, and the problems with them; `directory` is the catalogue's."""
    files: dict[str, Schema] = {}
    problems: list[Problem] = []
    for i, service in enumerate(doc.model.services if doc.model else ()):
        if not service.first_schema:
            continue
        place, path = ("services", i, "schema"), directory / FOLDER / service.first_schema
        if STORE not in service.stores:
            problems.append(doc.problem(place, f"{STORE} is not among its stores; add it, or drop this"))
        try:
            found = statement.read(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            problems.append(doc.problem(place, _unreadable(path, error)))
            continue
        problems += _wrong(found, path, service.name)
        if found.tables:
            files[path.name] = Schema(file=path.name, text=found.text, tables=tuple(found.tables))
    return Schemas(files=files), problems


def _unreadable(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        known = [file.name for file in path.parent.glob("*.sql")]
        return f"{path.name!r} is not in group_data/catalogue/{FOLDER}; {nearest(path.name, known)}"
    return f"{path.name!r} cannot be read: {error}"


def _wrong(found: statement.Reading, path: Path, service: str) -> Iterator[Problem]:
    for line, message in found.objections:
        yield Problem(f"{FOLDER}/{path.name}", line, service, "schema", message)
