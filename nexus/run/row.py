"""One row of a report: a figure, its target, and what to do if the target is missed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Answers = Mapping[str, Mapping[str, Mapping[str, Any]]]  # host -> part -> answer

SILENT = "does not say"  # value of a row whose host did not answer in time


@dataclass(frozen=True)
class Row:
    """A row; `advice` says what to do, and is set only if the target is missed."""

    area: str
    what: str
    value: str
    target: str = ""
    advice: str = ""

    @property
    def missed(self) -> bool:
        """Return True if the target is missed."""
        return bool(self.advice)


def told(answers: Answers, part: str, hosts: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return {host: answer} for a part, without hosts that gave no answer to it."""
    found = {name: answers.get(name, {}).get(part, {"error": ""}) for name in hosts}
    return {name: answer for name, answer in found.items() if "error" not in answer}


def unreachable_lines(answers: Answers, part: str, hosts: Iterable[str]) -> Iterator[Row]:
    """Yield a missed row for each host that answers, but with an error for this part."""
    for name in hosts:
        if error := answers.get(name, {}).get(part, {}).get("error"):
            yield Row(part, name, SILENT, "", f"{error}. `systemctl --failed` and the journal there say more")


def condition(area: str, what: str, own: Mapping[str, Any], remedy: str) -> Iterator[Row]:
    """Yield a missed row for a store's obstacle, else for changes by hand to its daemon."""
    if order := own.get("obstacle"):
        yield Row(area, what, order.partition(": ")[0].partition(". ")[0], "", order)
    elif names := [name for name in ("settings", "altered", "access", "users") for name in own.get(name, [])]:
        yield Row(area, what, f"changed by hand: {', '.join(names[:5])}", "as planned", remedy)


def amount(size: float) -> str:
    """Return a human-readable size."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if size >= 10 or unit == "B" else f"{size:.1f} {unit}"


def duration(seconds: float) -> str:
    """Return a human-readable time span."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
