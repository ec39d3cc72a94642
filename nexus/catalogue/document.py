"""A file of the catalogue as a model, or every mistake in it with line, entry and field.

Nothing here knows what the entries mean: models check single entries, rules.py checks between entries.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from nexus.catalogue.errors import Problem, nearest, short
from nexus.catalogue.types import Entry
from nexus.catalogue.yaml_file import Location, YamlFile

M = TypeVar("M", bound=Entry)
REASONS = {
    "tuple_type": "write a list",
    "dict_type": "write a mapping",
    "model_type": "write a mapping of fields",
    "string_type": "write text",
}


class Document(YamlFile, Generic[M]):
    """A file and, once validated, its `model`; None and the problems if it cannot be used."""

    def __init__(self, path: Path, kind: type[M]) -> None:
        super().__init__(path)
        self.kind = kind
        self.model: M | None = None

    def validate(self, names: Mapping[str, Collection[Any]]) -> None:
        """Set the model, or collect the problems; `names` are all names that references may use."""
        if self.problems:
            return
        if not isinstance(self.data, dict):
            known = ", ".join(self.kind.model_fields)
            self.problems.append(Problem(self.file, 1, "", "", f"is empty or not a mapping; expected fields: {known}"))
            return
        try:
            self.model = self.kind.model_validate(self.data, context=names)
        except ValidationError as error:
            self.problems += self._refusals(error)

    def _refusals(self, error: ValidationError) -> Iterator[Problem]:
        for item in error.errors(include_url=False):
            if item["type"] == "too_short" and item["input"]:
                continue  # the list is not empty: its entries are wrong, and reported
            below = item["ctx"]["location"] if item["type"] == "wrong" else ()
            yield self.problem((*item["loc"], *below), self._message(item))

    def _message(self, item: Any) -> str:
        kind, value = item["type"], item["input"]
        if kind == "wrong":
            return str(item["msg"])
        if kind == "extra_forbidden":
            return f"is not a field here; {nearest(item['loc'][-1], _fields(self.kind, item['loc'][:-1]), 30)}"
        if kind == "missing":
            return "is missing"
        reason = REASONS.get(kind) or str(item["msg"]).removeprefix("Value error, ")
        reason = reason[:1].lower() + reason[1:]
        if kind == "string_type" and isinstance(value, int | float):
            reason += ", in quotes"
        if kind == "literal_error" and isinstance(value, str):
            reason = nearest(value, re.findall("'([^']+)'", item["ctx"]["expected"]), 30)
        return reason if isinstance(value, dict) else f"{short(repr(value))} is wrong: {reason}"


def _fields(model: type[BaseModel], location: Location) -> list[str]:
    """Fields of the model at a location, by their names in the file."""
    for part in location:
        field = {field.alias or name: field for name, field in model.model_fields.items()}.get(str(part))
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        model = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), model)
    return [field.alias or name for name, field in model.model_fields.items()]
