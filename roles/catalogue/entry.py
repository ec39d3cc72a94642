"""What the entries of all catalogue files share: frozen, with named fields, and equal if their values are.

Entries are plain, so that a catalogue that was found sound before is there in a few milliseconds. What their
fields may hold is said by the kinds of kind.py, which are read only where files are validated: see model.py.
"""

from __future__ import annotations

from inspect import get_annotations
from typing import Any, ClassVar, Self, dataclass_transform

MISSING = object()


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Entry:
    """Base of every entry; a class attribute is the default of its field."""

    FIELDS: ClassVar[
        dict[str, Any]
    ] = {}  # in their order, each with its default, or MISSING where it has none

    def __init_subclass__(cls) -> None:
        cls.FIELDS = {**cls.FIELDS, **{name: getattr(cls, name, MISSING) for name in get_annotations(cls)}}

    def __init__(self, **values: Any) -> None:
        known = self.FIELDS
        unknown = values.keys() - known
        missing = [name for name, default in known.items() if default is MISSING and name not in values]
        if unknown or missing:
            raise TypeError(f"{type(self).__name__}: unknown {sorted(unknown)}, missing {missing}")
        self.__dict__.update({name: values.get(name, default) for name, default in known.items()})

    def but(self, **changes: Any) -> Self:
        """The same entry with other values in some fields, which are taken as they are."""
        return type(self)(**{**self.__dict__, **changes})

    def objection(self) -> str:
        """What is wrong with the values of several fields together; empty if nothing is."""
        return ""

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({values})"
