"""Entries of the journal in systemd's export format, as journalctl writes it and systemd-journal-remote takes it."""

from collections.abc import Iterator
from typing import IO

SIZE_BYTES = 8  # of the length before a value that is not plain text, little-endian


class Entry:
    """One line of the journal: its fields as they were written, and the values of those that are plain text."""

    __slots__ = ("parts", "values")

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.values: dict[bytes, bytes] = {}

    def number(self, name: bytes) -> int:
        """A field that holds a whole number; 0 where it is missing."""
        return int(self.values.get(name, b"0"))

    def set(self, name: bytes, value: bytes) -> None:
        """Give a field another value, or add it."""
        if name in self.values:
            self.parts = [part for part in self.parts if not part.startswith(name + b"=")]
        self.values[name] = value
        self.parts.append(name + b"=" + value + b"\n")

    def data(self) -> bytes:
        """The entry in the export format."""
        return b"".join((*self.parts, b"\n"))


def entries(stream: IO[bytes]) -> Iterator[Entry]:
    """Whole entries of a stream, until it ends; a last one that is cut off is left out."""
    found = Entry()
    while line := stream.readline():
        if line == b"\n":
            if found.parts:
                yield found
                found = Entry()
            continue
        name, equals, value = line.partition(b"=")
        if not equals:  # the value has several lines, or is not text
            size = stream.read(SIZE_BYTES)
            value = stream.read(int.from_bytes(size, "little") + 1)
            line = line + size + value
            name = name[:-1]
        found.parts.append(line)
        found.values.setdefault(name, value[:-1])
