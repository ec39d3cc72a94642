"""One YAML file of the catalogue: its data and the line of each value, or what is wrong with its notation.

The catalogue is plain YAML: one document of mappings, lists, text, decimal numbers, true and false. Notation that YAML
does not read as it looks (010 is 8, a date is not text, an alias is another line's value) is refused.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from nexus.catalogue.errors import Problem, short

Location = tuple[int | str, ...]
DEEPEST = 12  # levels; the catalogue has 8
SECTION = re.compile(r"^([A-Za-z_]\w*) *:", re.MULTILINE)
TAG = "tag:yaml.org,2002:"
SCALARS: dict[str, tuple[str, Callable[[str], Any]]] = {  # the permitted notation of each kind, and its conversion
    "str": ("(?s:.*)", str),
    "null": ("~|(?i:null)|", lambda text: None),
    "bool": ("(?i:true|false|yes|no|on|off)", lambda text: yaml.SafeLoader.bool_values[text.lower()]),
    "int": (r"[-+]?(0|[1-9][0-9]{0,17})", int),
    "float": (r"[-+]?(0|[1-9][0-9]{0,17})?\.[0-9]{1,18}", float),
}
LABELS = ("name", "slug", "path", "phase")


class YamlFile:
    """A file: `data` as written, or None and the problems if it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.file = path.name
        self.problems: list[Problem] = []
        self.data: Any = None
        self._lines: dict[Location, int] = {}
        self._seen: set[int] = set()
        self._mistakes: list[tuple[Location, str]] = []
        self._read(path)

    def entries(self, *section: str) -> list[dict[str, Any]]:
        """The entries of a list as written: none if it is not a list, empty ones for entries that are not mappings."""
        found = self.data
        for name in section:
            found = found.get(name) if isinstance(found, dict) else None
        return [entry if isinstance(entry, dict) else {} for entry in found] if isinstance(found, list) else []

    def problem(self, location: Location, message: str) -> Problem:
        """A problem at a place of the file, for instance ("services", 3, "port")."""
        entry, field, data, labelled = "", list[str](), self.data, False
        for part in location:
            data = _below(data, part)
            if isinstance(part, int) and isinstance(data, dict) and not labelled:
                entry, field, labelled = _label(data) or f"{'.'.join([entry, *field])} #{part + 1}", [], True
            elif isinstance(part, int) or part == "[key]":
                continue  # an index within an entry is left out: the field around it is named
            elif entry:
                field.append(_word(part))
            else:
                entry = _word(part)
        return Problem(self.file, self.line(*location), entry, ".".join(field), message)

    def line(self, *location: int | str) -> int:
        """The line of a location in the file, or of the nearest location around it."""
        places = (location[:length] for length in range(len(location), 0, -1))
        return next((self._lines[place] for place in places if place in self._lines), 1)

    def place(self, *location: str) -> str:
        """A location in words, with list entries by name, such as "gateway.yaml:84: rate_limits.windows"."""
        found: list[int | str] = []
        for part in location:
            names = [entry.get("name") for entry in self.entries(*map(str, found))]
            found.append(names.index(part) if part in names else part)
        return f"{self.file}:{self.line(*found)}: {'.'.join(location)}"

    def _read(self, path: Path) -> None:
        text = ""
        try:
            data = path.read_bytes()
            text = data.decode().removeprefix("\ufeff")
            node = yaml.compose(text, Loader=yaml.CSafeLoader)
            self.data = self._plain(node, ()) if node else None
        except OSError as error:
            self._refuse(text, 1, f"cannot be read: {error.strerror}; the catalogue needs this file")
        except UnicodeDecodeError as error:
            before = data[: error.start].decode()
            message = f"is not UTF-8: byte 0x{data[error.start]:02x}; save the file as UTF-8"
            self._refuse(before, before.count("\n") + 1, message)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            self._refuse(text, line, f"is not valid YAML: {error.problem or error.context}")
        except yaml.reader.ReaderError as error:
            line = text.encode()[: error.position].count(b"\n") + 1
            self._refuse(text, line, f"is not valid YAML: the character U+{error.character:04X} is not allowed")
        if self._mistakes:
            self.problems += [self.problem(location, message) for location, message in self._mistakes]
            self.data = None

    def _refuse(self, text: str, line: int, message: str) -> None:
        """Note a mistake in a line, with the section of the file that contains the line."""
        sections = SECTION.findall("\n".join(text.splitlines()[:line]))
        self.problems.append(Problem(self.file, line, sections[-1] if sections else "", "", message))

    def _plain(self, node: yaml.Node, here: Location) -> Any:
        """The data of a node; notes the lines of everything below it, and refused notation as mistakes."""
        kind = node.tag.removeprefix(TAG)
        if id(node) in self._seen:
            self._mistakes.append((here, "is an alias (*): write the value itself"))
            return None
        self._seen.add(id(node))
        if len(here) > DEEPEST:
            self._mistakes.append((here, f"is nested more than {DEEPEST} levels deep: nothing in the catalogue is"))
        elif isinstance(node, yaml.ScalarNode) and not node.tag.startswith("!"):
            return self._scalar(node, kind, here)
        elif isinstance(node, yaml.MappingNode) and kind == "map":
            return dict(self._pairs(node, here))
        elif isinstance(node, yaml.SequenceNode) and kind == "seq":
            for number, part in enumerate(node.value):
                if id(part) not in self._seen:  # the line of an alias would be that of its anchor
                    self._lines[*here, number] = part.start_mark.line + 1
            return [self._plain(part, (*here, number)) for number, part in enumerate(node.value)]
        else:
            self._mistakes.append((here, f"has the tag {short(node.tag)}: write the value without it"))
        return None

    def _scalar(self, node: yaml.ScalarNode, kind: str, here: Location) -> Any:
        pattern, convert = SCALARS.get(kind, ("(?!)", str))
        if re.fullmatch(pattern, node.value):
            return convert(node.value)
        if kind in ("int", "float"):
            message = "is not a plain decimal number: write one as 10 or 0.5, or put text in quotes"
        else:
            message = f"is read as {'a date' if kind == 'timestamp' else short(kind)}: write it in quotes"
        self._mistakes.append((here, f"{short(node.value)} {message}"))
        return None

    def _pairs(self, node: yaml.MappingNode, here: Location) -> Iterator[tuple[str, Any]]:
        keys = set[str]()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or id(key) in self._seen:
                self._mistakes.append((here, "has a key that is not a word"))
                continue
            there = (*here, key.value)
            self._lines[there] = key.start_mark.line + 1
            self._seen.add(id(key))
            if key.tag != f"{TAG}str":
                remedy = "write the fields themselves" if key.value == "<<" else "write it in quotes"
                self._mistakes.append((there, f"key {short(key.value)} is not read as a word: {remedy}"))
            elif key.value in keys:
                self._mistakes.append((there, f"key {short(key.value)!r} appears twice; keep one of the two"))
            keys.add(key.value)
            yield key.value, self._plain(value, there)


def _word(part: str) -> str:
    return short(part) or "''"


def _below(data: Any, part: int | str) -> Any:
    try:
        return data[part]
    except (KeyError, IndexError, TypeError):
        return None


def _label(entry: dict[str, Any]) -> str | None:
    """The name of a list entry, if it has a printable one."""
    names = (str(entry[key]) for key in LABELS if isinstance(entry.get(key), str | int))
    return next((name for name in names if name and name.isprintable() and len(name) <= 80), None)
