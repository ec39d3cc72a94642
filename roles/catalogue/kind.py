"""What a field of the catalogue may hold: kinds of value, and what is said of any other.

Imported only where files are validated and by type checkers: pydantic takes as long as half of a run's planning.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from roles.catalogue import quantity

T = TypeVar("T")
_SQL_FILE = re.compile(r"[a-z0-9][a-z0-9._-]*\.sql")
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


def _cpu(text: str) -> str:
    quantity.millicores(text)
    return text


def _memory(text: str) -> str:
    quantity.memory_bytes(text)
    return text


def _number_as_text(value: object) -> object:
    plain_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if plain_number else value


def _path(text: str) -> str:
    if not text.startswith("/") or any(character.isspace() for character in text) or "//" in text:
        raise ValueError("write a path from the root, as /api/orders/")
    return text


def _service_name(text: str) -> str:
    # becomes a DNS label, a database (with _a and _b for its log-ins) and a part of secrets' names,
    # of which Docker takes 64 characters
    if not _NAME.fullmatch(text):
        raise ValueError(
            "a name has at most 40 lower-case letters, digits and hyphens, and begins with a letter"
        )
    return text


def _key_prefix(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+:", text):
        raise ValueError("write a key prefix with a colon at its end, as session:")
    return text


def _frozen(value: object) -> object:
    """A value that JSON knows, with tuples in place of lists."""
    if not isinstance(value, str | int | float | list | tuple | dict | None):
        raise ValueError("no kind of value that JSON knows: write it in quotes")
    if isinstance(value, list | tuple):
        return tuple(_frozen(part) for part in value)
    if isinstance(value, dict):
        return {str(name): _frozen(part) for name, part in value.items()}
    return value


def _schema_file(text: str) -> str:
    if not _SQL_FILE.fullmatch(text):
        raise ValueError("write the name of a file in group_data/catalogue/schema, as invoice-gen.sql")
    return text


Count = Annotated[int, Field(strict=True, ge=1)]
Whole = Annotated[int, Field(strict=True, ge=0)]
Number = Annotated[float, Field(ge=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
OpenPort = Annotated[Port, Field(ge=1024)]  # that needs no privilege
Status = Annotated[int, Field(strict=True, ge=100, le=599)]
Cpu = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_cpu)]
Memory = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_memory)]
Path = Annotated[str, AfterValidator(_path)]
Text = Annotated[str, Field(min_length=1)]
From = Annotated[Text, Field(alias="from")]  # is a word of Python's own
To = Annotated[Text, Field(alias="to")]
SchemaFile = Annotated[
    Annotated[str, AfterValidator(_schema_file)] | None, Field(alias="schema")
]  # models have a method of that name
ServiceName = Annotated[str, AfterValidator(_service_name)]
KeyPrefix = Annotated[str, AfterValidator(_key_prefix)]
Names = tuple[Text, ...]
Json = Annotated[Any, AfterValidator(_frozen)]
Figures = dict[str, Number]
Filled = Annotated[tuple[T, ...], Field(min_length=1)]  # a list that may not be empty
