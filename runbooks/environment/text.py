"""The text of an environment's files, in the form that `ruff format` leaves as it is."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nexus import project
from nexus.environment.templates import templates
from nexus.error import split
from runbooks.environment.fit import Line
from runbooks.environment.layout import TIERS, Group
from runbooks.environment.wanted import Wanted

WIDTH = 120
NOT_REPEATED = ("fingerprints",)  # they are in the file of known hosts


def inventory(wanted: Wanted, hosts: Mapping[str, str], groups: Sequence[Group]) -> str:
    """The inventory; `hosts` is {name: its call of _host}."""
    defined: set[str] = set()
    lines = []
    for group in groups:
        members = []
        for name in group.hosts:
            members.append(hosts[name] if group.name in TIERS and name not in defined else _quoted(name))
            defined.add(name)
        lines.append(_assigned(group.name, members, group.why))
    jinja = templates(project.root() / "templates")
    data = {"wanted": wanted, "command": command(wanted), "tiers": lines[: len(TIERS)], "stores": lines[len(TIERS) :]}
    return jinja.get_template("environment/inventory.py.j2").render(**data, count=len(hosts))


def group_data(wanted: Wanted, lines: Iterable[Line]) -> str:
    """The settings, each with its reason."""
    jinja = templates(project.root() / "templates")
    settings = [_setting(line) for line in lines]
    return jinja.get_template("environment/group_data.py.j2").render(name=wanted.name, settings=settings)


def host(name: str, *values: str, **more: Any) -> str:
    """The call that makes one host of an inventory."""
    words = [*map(_quoted, (name, *values)), *(f"{key}={_written(value)}" for key, value in more.items())]
    return f"_host({', '.join(words)})"


def command(wanted: Wanted) -> str:
    """The command that writes the same files again."""
    words = [f"{key.upper()}={_quotable(value)}" for key, value in wanted.words.items() if key not in NOT_REPEATED]
    return textwrap.fill(
        " ".join(["make environment", f"NEXUS_ENV={wanted.name}", *sorted(words)]), WIDTH - 2, initial_indent="    ",
        subsequent_indent="        ", break_long_words=False, break_on_hyphens=False,
    ).replace("\n", " \\\n")  # fmt: skip


def _quotable(value: str) -> str:
    """A list with spaces between its words, so that a long one has several lines; they do not count."""
    words = split(value)
    return f'"{", ".join(words)}"' if len(words) > 1 else value


def _assigned(name: str, members: Sequence[str], why: str) -> str:
    whole = f"{name} = [{', '.join(members)}]"
    if len(commented := f"{whole}  # {why}") <= WIDTH:
        return commented
    if len(whole) <= WIDTH:
        return f"# {why}\n{whole}"
    return "\n".join([f"# {why}", f"{name} = [", *(f"    {member}," for member in members), "]"])


def _setting(line: Line) -> str:
    whole = f"{line.name} = {_written(line.value)}"
    commented = f"{whole}  # {line.why}"
    return commented if len(commented) <= WIDTH else "\n".join([*_comment(line.why), whole])


def _comment(text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ")


def _written(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return f'"{text}"'
