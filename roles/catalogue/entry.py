"""What the entries of all catalogue files share: frozen, nothing unknown, and a few kinds of value."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from roles.catalogue import quantity


class Entry(BaseModel):
    """Base of every entry. Models are built when first used, which keeps the import quick."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


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


Count = Annotated[int, Field(strict=True, ge=1)]
Whole = Annotated[int, Field(strict=True, ge=0)]
Number = Annotated[float, Field(ge=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
Status = Annotated[int, Field(strict=True, ge=100, le=599)]
Cpu = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_cpu)]
Memory = Annotated[str, BeforeValidator(_number_as_text), AfterValidator(_memory)]
Path = Annotated[str, AfterValidator(_path)]
Text = Annotated[str, Field(min_length=1)]
Names = tuple[Text, ...]
