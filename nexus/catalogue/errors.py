"""Problems of a catalogue, described so that the reader can fix them at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake and its place (line 0: in no file); `message` has the value and what would be right."""

    file: str
    line: int
    entry: str
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.entry, self.field, self.message) if part)


class CatalogueError(ValueError):
    """The catalogue cannot be used; `problems` holds all problems, and the text lists them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        count = len(self.problems)
        title = f"The catalogue has {count} error{'s' if count != 1 else ''}:"
        super().__init__("\n".join([title, *(f"  {problem}" for problem in self.problems)]))


def short(text: str, most: int = 60) -> str:
    """Text in a form that fits in a line, at most `most` characters long."""
    shown = text if text.isprintable() else repr(text)[1:-1]
    return shown if len(shown) <= most else f"{shown[: most - 3]}..."


def nearest(name: object, known: Iterable[object], most: int = 12) -> str:
    """The remedy for an unknown name: the nearest known name, otherwise some of the known names."""
    names = sorted(map(str, known))
    close = get_close_matches(str(name), names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{short(close[0])}'?"
    shown = ", ".join(short(name, 40) for name in names[:most]) + (", ..." if len(names) > most else "")
    return f"known: {shown}" if names else "none are known"
