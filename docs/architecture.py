"""Draws the rooms of the code and their dependencies, from its imports, into architecture.md: `make architecture`.

With `--check` it only compares: the exit status says whether the picture is up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import grimp

PAGE = Path(__file__).with_name("architecture.md")
BEGIN, END = "<!-- rooms: begin -->\n", "<!-- rooms: end -->\n"
PACKAGES = ("nexus", "roles", "runbooks")
BELOW = tuple(
    f"nexus.{name}" for name in ("error", "project", "cache", "console", "workstation", "pyinfra_patches")
)  # single files
Arrow = tuple[str, str]


def room(module: str) -> str:
    """The room of a module."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "nexus" else parts[0]


def arrows() -> set[Arrow]:
    """(room, room that it imports from), without the single files at the bottom."""
    sys.path.insert(0, str(PAGE.parents[1]))
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    pairs = ((one, other) for one in graph.modules for other in graph.find_modules_directly_imported_by(one))
    found = {(room(one), room(other)) for one, other in pairs}
    return {(one, other) for one, other in found if one != other and not {one, other} & {*BELOW, "nexus"}}


def reduced(all_arrows: set[Arrow]) -> set[Arrow]:
    """The arrows without those that a longer path implies."""
    below: dict[str, set[str]] = {}

    def reach(one: str) -> set[str]:
        if one not in below:
            below[one] = set()
            next_ones = {other for start, other in all_arrows if start == one}
            below[one] = next_ones.union(*map(reach, next_ones))
        return below[one]

    return {
        (one, other)
        for one, other in all_arrows
        if not any(other in reach(between) for start, between in all_arrows if start == one and between != other)
    }


def picture(shown: Iterable[Arrow]) -> str:
    """The rooms as a Mermaid diagram."""
    names = sorted({name for arrow in shown for name in arrow})
    lines = ["```mermaid", "flowchart TD"]
    lines += [f'    {name.replace(".", "_")}["{name.replace(".", "/")}"]' for name in names]
    lines += [f"    {one.replace('.', '_')} --> {other.replace('.', '_')}" for one, other in sorted(shown)]
    return "\n".join([*lines, "```", ""])


def drawn(page: str) -> str:
    """The page with the present picture of the code."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}{picture(reduced(arrows()))}{END}{rest.partition(END)[2]}"


def main(words: list[str]) -> int:
    """Exit status."""
    before = PAGE.read_text()
    after = drawn(before)
    if words == ["--check"]:
        if after != before:
            print(f"{PAGE} is out of date: make architecture")
        return int(after != before)
    PAGE.write_text(after)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
