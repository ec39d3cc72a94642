"""First schemas: SQL files that create the tables of services whose code ships no migration."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from nexus.catalogue import statement
from nexus.catalogue.document import Document
from nexus.catalogue.errors import Problem, nearest, short
from nexus.catalogue.service import ServicesFile

FOLDER = "schema"  # below the catalogue's directory


@dataclass(frozen=True)
class Schema:
    """One file that only creates: its text, and its tables in order."""

    file: str
    text: str
    tables: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Hex digest that tells a later version of the file from the applied one."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read(doc: Document[ServicesFile], directory: Path) -> tuple[dict[str, Schema], list[Problem]]:
    """The files that services name, and what is wrong with them; `directory` is the catalogue's."""
    files: dict[str, Schema] = {}
    problems: list[Problem] = []
    for number, service in enumerate(doc.model.services if doc.model else ()):
        if not service.first_schema:
            continue
        path = directory / FOLDER / service.first_schema
        try:
            found = statement.read(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            problems.append(doc.problem(("services", number, "schema"), _unreadable(path, error)))
            continue
        for line, message in found.objections:
            problems.append(Problem(f"{FOLDER}/{path.name}", line, service.name, "schema", short(message, 200)))
        files[path.name] = Schema(path.name, found.text, tuple(found.tables))
    return files, problems


def _unreadable(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        known = [file.name for file in path.parent.glob("*.sql")]
        return f"{path.name!r} is not in group_data/catalogue/{FOLDER}; {nearest(path.name, known)}"
    return f"{path.name!r} cannot be read: {error}"
