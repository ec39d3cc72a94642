"""Mistakes in the catalogue's files, drawn from a seed: what a person, an editor, a merge or a disk does to a file.

`draw(seed, number)` always returns the same mistake, so that one mistake can be repeated. It changes the text at the
positions of YAML nodes, so that lines keep their meaning.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from nexus.catalogue import DIRECTORY

FILES = ("services.yaml", "modules.yaml", "gateway.yaml", "operations.yaml")
SPECIAL = {
    "LONG": "x" * 70_000,
    "NINES": "9" * 5000,
    "LISTS": "[" * 60 + "]" * 60,
    "MANY_LISTS": "[" * 3000 + "]" * 3000,
    "MAPPINGS": "{a: " * 60 + "1" + "}" * 60,
}
ODD = tuple(SPECIAL.get(line, line) for line in Path(__file__).with_name("odd_values.txt").read_text().splitlines())
HARM = (  # bytes that an editor, a disk or a copy can leave
    *(b"\xff", b"\xfe\xff", b"\x00", b"\x1b", b"\xc3"),
    *(b"\xed\xa0\x80", b"\t", b"\x80", b"\xe2\x80\xa8", b"\x85"),
)


@dataclass(frozen=True)
class Mutation:
    """One mistake: the file, a description, and the file's bytes after it; None for a deleted file."""

    seed: int
    number: int
    file: str
    what: str
    content: bytes | None

    def __str__(self) -> str:
        return f"--seed {self.seed}, mutation {self.number}: {self.file}: {self.what}"

    def make(self, directory: Path) -> None:
        """Make the mistake in a copy of the catalogue that has no other mistake."""
        shutil.copytree(DIRECTORY, directory)
        path = directory / self.file
        if self.content is None:
            path.unlink()
            if self.what == "is a directory":
                path.mkdir()
        else:
            path.write_bytes(self.content)


@dataclass(frozen=True)
class Place:
    """A value in a file: the key or list around it, and the start and end of its text."""

    path: str
    key: yaml.ScalarNode | None  # None in a list
    value: yaml.Node
    flow: bool  # whether its container is written in brackets

    @property
    def start(self) -> int:
        return int(self.value.start_mark.index)

    @property
    def begin(self) -> int:
        """The start of the entry: its key, or its value in a list."""
        return int(self.key.start_mark.index) if self.key else self.start


@cache
def _text(file: str) -> str:
    return (DIRECTORY / file).read_text()


@cache
def _places(file: str) -> tuple[Place, ...]:
    found: list[Place] = []

    def walk(node: yaml.Node, path: str) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                found.append(Place(f"{path}.{key.value}".strip("."), key, value, bool(node.flow_style)))
                walk(value, found[-1].path)
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value, 1):
                found.append(Place(f"{path}#{number}", None, value, bool(node.flow_style)))
                walk(value, found[-1].path)

    whole = yaml.compose(_text(file), Loader=yaml.SafeLoader)
    assert whole, f"{file} is empty"
    walk(whole, "")
    return tuple(found)


def _end(text: str, place: Place) -> int:
    return place.start + len(text[place.start : int(place.value.end_mark.index)].rstrip())


def _typo(chance: random.Random, word: str) -> str:
    at = chance.randrange(len(word))
    return chance.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            word.upper(),
            word.capitalize(),
            word.replace("_", "-") if "_" in word else word.replace("-", "_"),
            word + "s",
            word + " ",
            chance.choice(["name", "port", "x", "''", "5", "null", "yes"]),
        ]
    )


def _drop(chance: random.Random, text: str, places: tuple[Place, ...]) -> tuple[str, str]:
    place = chance.choice(places)
    end = _end(text, place)
    begin = place.begin
    if place.flow:
        rest = text[end:]
        end += len(rest) - len(rest.lstrip(", \n"))
    elif not place.key:
        begin = text.rindex("-", 0, begin)
    return text[:begin] + text[end:], f"drops {place.path}"


def _rename(chance: random.Random, text: str, places: tuple[Place, ...]) -> tuple[str, str]:
    place, key = chance.choice([(place, place.key) for place in places if place.key])
    new = _typo(chance, key.value)
    start, end = key.start_mark.index, key.end_mark.index
    return text[:start] + new + text[end:], f"renames {place.path} to {new}"


def _odd(chance: random.Random, text: str, places: tuple[Place, ...]) -> tuple[str, str]:
    place, value = chance.choice(places), chance.choice(ODD)
    return _put(text, place, value), f"gives {place.path} the value {value[:60]}"


def _changed(chance: random.Random, text: str, places: tuple[Place, ...]) -> tuple[str, str]:
    place = chance.choice([place for place in places if isinstance(place.value, yaml.ScalarNode) and place.value.value])
    value = _typo(chance, text[place.start : _end(text, place)])
    return _put(text, place, value), f"gives {place.path} the value {value[:60]}"


def _put(text: str, place: Place, value: str) -> str:
    return text[: place.start] + value + text[_end(text, place) :]


def _swap(chance: random.Random, text: str, places: tuple[Place, ...]) -> tuple[str, str]:
    scalars = [place for place in places if isinstance(place.value, yaml.ScalarNode)]
    last = chance.choice(scalars).path.rpartition(".")[2]
    alike = [place for place in scalars if place.path.rpartition(".")[2] == last]
    one, two = chance.sample(alike if len(alike) > 1 and chance.random() < 0.5 else scalars, 2)
    one, two = sorted((one, two), key=lambda place: place.start)
    first, second = text[one.start : _end(text, one)], text[two.start : _end(text, two)]
    swapped = text[: one.start] + second + text[_end(text, one) : two.start] + first + text[_end(text, two) :]
    return swapped, f"swaps the values of {one.path} and {two.path}"


def _duplicate(chance: random.Random, text: str, places: tuple[Place, ...]) -> tuple[str, str]:
    place = chance.choice(places)
    end = _end(text, place)
    begin = place.begin if place.key or place.flow else text.rindex("-", 0, place.begin)
    line = text.rfind("\n", 0, begin) + 1
    between = ", " if place.flow else "\n" + " " * (begin - line)
    return text[:end] + between + text[begin:end] + text[end:], f"duplicates {place.path}"


def _alias(chance: random.Random, text: str, places: tuple[Place, ...]) -> tuple[str, str]:
    one, two = sorted(chance.sample(places, 2), key=lambda place: place.start)
    later = _put(text, two, "*a")
    return later[: one.start] + "&a " + later[one.start :], f"makes {two.path} an alias of {one.path}"


def _lines(chance: random.Random, text: str, places: tuple[Place, ...]) -> tuple[str, str]:
    lines = text.split("\n")
    at = chance.randrange(len(lines) - 1)
    kind = chance.choice(["removes", "doubles", "swaps with the next", "indents", "unindents", "indents with a tab"])
    line = lines[at]
    lines[at : at + 2] = {
        "removes": [lines[at + 1]],
        "doubles": [line, line, lines[at + 1]],
        "swaps with the next": [lines[at + 1], line],
        "indents": [" " + line, lines[at + 1]],
        "unindents": [line[1:], lines[at + 1]],
        "indents with a tab": ["\t" + line.lstrip(), lines[at + 1]],
    }[kind]
    return "\n".join(lines), f"{kind}: line {at + 1}"


def _character(chance: random.Random, text: str, places: tuple[Place, ...]) -> tuple[str, str]:
    at, sign = chance.randrange(len(text)), chance.choice("'\"{}[],:-#&*!|>%@`\t\\?0aß")
    cut = chance.choice([0, 1])
    return text[:at] + sign + text[at + cut :], f"puts {sign!r} {'over' if cut else 'before'} character {at}"


def _bytes(chance: random.Random, data: bytes) -> tuple[bytes | None, str]:
    at, harm = chance.randrange(len(data)), chance.choice(HARM)
    kinds: list[Callable[[], tuple[bytes | None, str]]] = [
        lambda: (data[:at], f"ends after byte {at}"),
        lambda: (data[:at], f"ends after byte {at}"),
        lambda: (data[:at], f"ends after byte {at}"),
        lambda: (data[:at] + harm + data[at:], f"has {harm!r} at byte {at}"),
        lambda: (data[:at] + harm + data[at:], f"has {harm!r} at byte {at}"),
        lambda: (b"\xef\xbb\xbf" + data, "begins with a byte order mark"),
        lambda: (data.decode().encode("utf-16"), "is UTF-16"),
        lambda: (data.decode().encode("latin-1", "replace"), "is Latin-1"),
        lambda: (data.replace(b"\n", b"\r\n"), "has CRLF"),
        lambda: (data.replace(b"\n", b"\r"), "has CR alone"),
        lambda: (data.replace(b"  ", b"\t"), "has tabs"),
        lambda: (data + b"---\n" + data, "holds two documents"),
        lambda: (b"", "is empty"),
        lambda: (b"\n# nothing\n", "holds a comment alone"),
        lambda: (chance.choice([b"5", b"[]", b"text", b"null", b"{}", b"---\n...\n"]), "holds something else"),
        lambda: (chance.randbytes(4000), "is a binary"),
        lambda: (None, "is missing"),
        lambda: (None, "is a directory"),
    ]
    return chance.choice(kinds)()


KINDS = (*[_drop] * 2, *[_rename] * 2, *[_odd] * 4, _changed, _swap, _duplicate, _alias, _lines, _character)


def draw(seed: int, number: int) -> Mutation:
    """The mistake with this seed and number."""
    chance = random.Random(f"{seed} {number}")
    file = chance.choice(FILES)
    if chance.random() < 0.12:
        content, what = _bytes(chance, _text(file).encode())
        return Mutation(seed, number, file, what, content)
    text, what = chance.choice(KINDS)(chance, _text(file), _places(file))
    return Mutation(seed, number, file, what, text.encode())
