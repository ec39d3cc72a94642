"""Reads the files of a catalogue as a whole; checks between entries are in rules.py."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nexus.catalogue import first_schema, rules
from nexus.catalogue.document import Document
from nexus.catalogue.errors import CatalogueError, Problem
from nexus.catalogue.first_schema import Schema
from nexus.catalogue.gateway import GatewayFile
from nexus.catalogue.module import ModulesFile
from nexus.catalogue.operation import OperationsFile, Stores
from nexus.catalogue.service import ServicesFile
from nexus.catalogue.types import with_hyphens

Files = tuple[ServicesFile, ModulesFile, GatewayFile, OperationsFile, dict[str, Schema]]
UNIQUE = {  # lists, and the field that must be unique among their entries
    "services.yaml": (
        ("services", "name"),
        ("services", "port"),
        ("categories", "name"),
        ("domains", "name"),
        ("events", "name"),
    ),
    "modules.yaml": (("modules", "slug"), ("sites", "slug")),
    "gateway.yaml": (("routes", "path"), ("rate_limits", "windows", "name")),
    "operations.yaml": (("ports", "name"), ("startup", "phase"), ("alerts", "rules", "name")),
}


def read(directory: Path) -> Files:
    """The files of a catalogue, each as a model; CatalogueError lists everything that is wrong with them."""
    services = Document(directory / "services.yaml", ServicesFile)
    modules = Document(directory / "modules.yaml", ModulesFile)
    gateway = Document(directory / "gateway.yaml", GatewayFile)
    operations = Document(directory / "operations.yaml", OperationsFile)
    names: dict[str, list[str | int | None]] = {
        "service": _values(services, "services", "name"),
        "category": _values(services, "categories", "name"),
        "domain": _values(services, "domains", "name"),
        "phase": _values(operations, "startup", "phase"),
        "store": [*map(with_hyphens, Stores.model_fields)],
    }
    found = list[Problem]()
    for document in (services, modules, gateway, operations):
        document.validate(names)
        found += [*document.problems, *_repeated(document)]
    found += rules.problems(services, gateway)
    schemas, wrong = first_schema.read(services, directory)
    found += wrong
    if found or not (services.model and modules.model and gateway.model and operations.model):
        raise CatalogueError(found)
    return services.model, modules.model, gateway.model, operations.model, schemas


def _values(document: Document[Any], *place: str) -> list[str | int | None]:
    """Values of a field in the entries of a list, even invalid ones; None for a value that is not a name."""
    *section, field = place
    values = [entry.get(field) for entry in document.entries(*section)]
    return [value if isinstance(value, str | int) else None for value in values]


def _repeated(document: Document[Any]) -> Iterator[Problem]:
    for *section, field in UNIQUE[document.file]:
        values = _values(document, *section, field)
        for number, value in enumerate(values):
            first = values.index(value)
            if value is not None and first < number:
                line = document.line(*section, first, field)
                message = f"{value!r} is already used in line {line}; choose another"
                yield document.problem((*section, number, field), message)
