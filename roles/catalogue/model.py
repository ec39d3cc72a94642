"""Models that files are validated against, made from the entries: nothing unknown, every field of its kind."""

from __future__ import annotations

import re
import sys
from inspect import get_annotations
from typing import Any, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model, model_validator

from roles.catalogue import kind
from roles.catalogue.entry import MISSING, Entry

_MODELS: dict[type[Entry], type[BaseModel]] = {}
_ENTRIES: dict[type[BaseModel], type[Entry]] = {}


class Model(BaseModel):
    """Base of every model. Models are built when first used: most are built as a part of another."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def model_of(entry: type[Entry]) -> type[BaseModel]:
    """The model of a kind of entry, with the same fields, of the same name."""
    if entry in _MODELS:
        return _MODELS[entry]
    hints = get_type_hints(entry, localns={**vars(kind), **_below(entry)}, include_extras=True)
    known = {
        name: (hints[name], ... if default is MISSING else default) for name, default in entry.FIELDS.items()
    }
    validators: dict[str, Any] = {}
    if entry.objection is not Entry.objection:
        validators["agrees"] = model_validator(mode="after")(_agreeing(entry))
    made = create_model(entry.__name__, __base__=Model, __validators__=validators, **cast(Any, known))
    _MODELS[entry], _ENTRIES[made] = made, entry
    return made


def plain(value: Any) -> Any:
    """What was validated, as entries: each model below it becomes the entry that it was made from."""
    if isinstance(value, BaseModel):
        return _ENTRIES[type(value)](**{name: plain(part) for name, part in value})
    if isinstance(value, tuple):
        return tuple(plain(part) for part in value)
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return value


def _below(entry: type[Entry]) -> dict[str, type[BaseModel]]:
    """Models of the entries that fields of this one hold, by the names that its module knows them by."""
    texts = [str(text) for base in entry.__mro__ for text in get_annotations(base).values()]
    names = {name for text in texts for name in re.findall(r"\w+", text)}
    around = vars(sys.modules[entry.__module__])
    found = {name: around[name] for name in names if isinstance(around.get(name), type)}
    return {name: model_of(part) for name, part in found.items() if issubclass(part, Entry)}


def _agreeing(entry: type[Entry]) -> Any:
    def agrees(model: BaseModel) -> BaseModel:
        if objection := entry(**dict(model)).objection():
            raise ValueError(objection)
        return model

    return agrees
