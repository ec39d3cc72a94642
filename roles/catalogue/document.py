"""One YAML file of the catalogue: read, checked against its model, and every mistake with its line.

Nothing here knows what the entries mean; references between them are looked at in check.py.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar, Union, cast, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from roles.catalogue.entry import Entry
from roles.catalogue.errors import Problem, nearest
from roles.catalogue.model import model_of, plain

Location = tuple[int | str, ...]
M = TypeVar("M", bound=Entry)
_LABELS = ("name", "slug", "path", "phase")


class _Loader(yaml.CSafeLoader):
    """YAML's safe loader that notes keys given twice, of which YAML silently keeps the last."""

    twice: list[tuple[int, str]]

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                self.twice.append((key.start_mark.line + 1, key.value))
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


class Document(Generic[M]):
    """A file as its model where it could be read, and the problems where not.

    `model` leaves out list entries that are wrong in themselves, so that what refers to the others can
    still be looked at; it is None where the file is wrong in any other way.
    """

    def __init__(self, path: Path, model: type[M]) -> None:
        self.file = path.name
        self.kind = model_of(model)
        self.problems: list[Problem] = []
        self.data: Any = None
        self._node: yaml.Node | None = None
        self._kept: dict[str, list[int]] = {}
        self.model: M | None = None
        if self._read(path):
            self.model = self._validate()

    def raw_names(self, section: str, key: str = "name") -> set[str]:
        """Names of all entries of a list, also of those that are wrong in themselves."""
        entries = self.data.get(section) if isinstance(self.data, dict) else None
        return {str(e[key]) for e in entries or () if isinstance(e, dict) and key in e}

    def problem(self, location: Location, message: str) -> Problem:
        """A problem at a place of the model, for instance ("services", 3, "port")."""
        return self._at(self._in_file(location), message)

    def states(self, location: Location) -> bool:
        """Whether the file itself says something at a place of the model, as opposed to a default."""
        data = self.data
        for part in self._in_file(location)[:-1]:
            data = _value(data, part)
        return isinstance(data, dict) and location[-1] in data

    def _in_file(self, location: Location) -> Location:
        if len(location) > 1 and isinstance(location[1], int):
            kept = self._kept.get(str(location[0]))
            return (location[0], kept[location[1]] if kept else location[1], *location[2:])
        return location

    def _read(self, path: Path) -> bool:
        try:
            loader = _Loader(path.read_bytes())
            loader.twice = []
            self._node = loader.get_single_node()
            self.data = loader.construct_document(self._node) if self._node else None
        except OSError as error:
            self._say(1, f"cannot be read: {error.strerror}; the catalogue needs this file")
            return False
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            mark = getattr(error, "problem_mark", None)
            reason = getattr(error, "problem", None) or str(error)
            self._say(mark.line + 1 if mark else 1, f"is no valid YAML: {reason}")
            return False
        for line, key in loader.twice:
            self._say(line, f"key {key!r} stands here a second time; keep one of the two")
        if not isinstance(self.data, dict):
            self._say(1, f"is empty or no mapping; expected are: {', '.join(self.kind.model_fields)}")
            return False
        return True

    def _say(self, line: int, message: str) -> None:
        self.problems.append(Problem(self.file, line, "", "", message))

    def _validate(self) -> M | None:
        try:
            return self._entries(self.data)
        except ValidationError as error:
            places: list[Location] = []
            for item in error.errors(include_url=False):
                places.append(item["loc"])
                self.problems.append(self._at(item["loc"], self._message(item)))
            return self._without_bad_entries(self.data, places)

    def _entries(self, data: dict[str, Any]) -> M:
        return cast(M, plain(self.kind.model_validate(data)))

    def _without_bad_entries(self, data: dict[str, Any], places: list[Location]) -> M | None:
        bad: dict[str, set[int]] = {}
        for place in places:
            if len(place) < 2 or not isinstance(place[1], int):
                return None
            bad.setdefault(str(place[0]), set()).add(place[1])
        rest = dict(data)
        for section, numbers in bad.items():
            self._kept[section] = [n for n in range(len(data[section])) if n not in numbers]
            rest[section] = [data[section][n] for n in self._kept[section]]
        try:
            return self._entries(rest)
        except ValidationError:  # a list that may not be empty has no entry left
            return None

    def _message(self, item: Any) -> str:
        kind, value = item["type"], item["input"]
        if kind == "extra_forbidden":
            return f"is no field here; {nearest(item['loc'][-1], _fields(self.kind, item['loc'][:-1]), 30)}"
        if kind == "missing":
            return "is missing"
        reason = str(item["msg"]).removeprefix("Value error, ")
        if isinstance(value, dict):
            return reason[:1].lower() + reason[1:]
        text = repr(value)
        return f"{text if len(text) <= 60 else text[:57] + '...'} is wrong: {reason[:1].lower()}{reason[1:]}"

    def _at(self, location: Location, message: str) -> Problem:
        line, data, node = 1, self.data, self._node
        entry, field, labelled = "", list[str](), False
        for part in location:
            found = _step(node, part)
            data = _value(data, part)
            if found is not None:
                line, node = found
            if isinstance(part, int):
                # an item without a name of its own belongs to the entry around it, if there is one
                label = _label(data) or (None if labelled else f"{'.'.join([entry, *field])} #{part + 1}")
                entry, field = (label, []) if label else (entry, field)
                labelled = True
            elif entry:
                field.append(part)
            else:
                entry = part
        return Problem(self.file, line, entry, ".".join(field), message)


def _step(node: yaml.Node | None, part: int | str) -> tuple[int, yaml.Node] | None:
    """Line and node one step below, None where there is none (a missing field, a union's tag)."""
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        below = node.value[part]
        return below.start_mark.line + 1, below
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    return None


def _label(entry: Any) -> str | None:
    """What an entry of a list calls itself."""
    return next((str(entry[k]) for k in _LABELS if isinstance(entry, dict) and k in entry), None)


def _value(data: Any, part: int | str) -> Any:
    try:
        return data[part]
    except (KeyError, IndexError, TypeError):
        return None


def _fields(kind: Any, location: Location) -> list[str]:
    """Fields of the model that stands at a place, for the remedy of an unknown one."""
    for part in location:
        if isinstance(part, str) and isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = next((f.annotation for n, f in kind.model_fields.items() if part in (n, f.alias)), None)
        else:
            kind = next(iter(_models(kind)), None)
    model = next(iter(_models(kind)), None)
    return [f.alias or n for n, f in model.model_fields.items()] if model else []


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, BaseModel):
        yield kind
    elif get_origin(kind) in (tuple, dict, Union, types.UnionType):
        for argument in get_args(kind):
            yield from _models(argument)
