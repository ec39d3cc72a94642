"""Settings: the defaults of all roles, overridden by group data, inventory and `--data`.

A setting exists if some `defaults.py` names it in lower case; any other name is refused with the nearest
known name, so that a typo cannot silently leave a default in force.
"""

import runpy
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pyinfra.connectors.ssh import connector_data_meta

from nexus import project
from nexus.environment import deploy_declaration
from nexus.error import OperatorError, nearest

Keeps = Mapping[str, str]  # kind of kept value -> the setting that it adds to: a dictionary or a list
PLAIN = (str, int, float, list, tuple, dict, type(None))
CONNECTION = ("ssh_", "_sudo", "_")  # pyinfra's own data: connection details and global arguments


class Settings(Mapping[str, Any]):
    """Read-only settings with attribute access: `setting.postgresql_port`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(f'no setting "{name}"{nearest(name, self.__dict__["_values"])}') from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@cache
def _files() -> Mapping[str, Mapping[str, Any]]:
    """The names that each `defaults.py` defines, by its path; only the file is run, its role is not imported."""
    return {str(path): runpy.run_path(str(path)) for path in project.settings_files()}


@cache
def renamed() -> Mapping[str, str]:
    """{former name of a setting: its name now}, from RENAMED of every `defaults.py`."""
    return {old: new for names in _files().values() for old, new in names.get("RENAMED", {}).items()}


def of_role(role: str, ending: str) -> set[str]:
    """Settings of a role whose names end like this, such as its ports."""
    found = [names for path, names in _files().items() if path.endswith(f"/roles/{role}/defaults.py")]
    return {name for names in found for name in names if name.endswith(ending)}


@cache
def defaults() -> Mapping[str, Any]:
    """Every known setting with its default, from every `defaults.py`."""
    found: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for path, names in _files().items():
        role = Path(path).parent.name
        for name, value in names.items():
            if not name.islower() or name.startswith("_") or not isinstance(value, PLAIN):
                continue
            if name in origin:
                raise OperatorError(f'setting "{name}" is defined by {origin[name]} and {role}')
            found[name], origin[name] = value, role
    return found


def check(values: Mapping[str, Any], where: str, offered: Collection[str] | None = None) -> list[str]:
    """Complaints about settings that are unknown or have the wrong type; empty if there are none.

    `offered` is for values from the command line: the arguments that this run takes, to suggest the nearest name.
    """
    known = defaults()
    complaints = []
    for name, value in values.items():
        if name.startswith("ssh_") and name not in connector_data_meta:
            complaints.append(f'{where}: unknown setting "{name}"{nearest(name, connector_data_meta)}')
        if name.startswith(CONNECTION):
            continue
        if name not in known:
            complaints.append(f"{where}: {_unknown(name, value, offered)}")
        elif not _fits(value, known[name]):
            complaints.append(
                f'{where}: setting "{name}" is {value!r}, {_article(value)}; '
                f"it must be {_article(known[name])} such as {known[name]!r}"
            )
    return complaints


def _unknown(name: str, value: Any, offered: Collection[str] | None) -> str:
    """Why a name is not a setting: it is an argument of some deploy, or unknown."""
    if new := renamed().get(name):
        return f'setting "{name}" is called "{new}" now'
    takers = deploy_declaration.takers(name)
    if not takers and (project.root() / f"deploys/{name}.py").is_file():
        return f'"{name}" is not a setting but a deploy: start deploys/{name}.py'
    if not takers:
        return f'unknown setting "{name}"{nearest(name, [*defaults(), *(offered or ())])}'
    if offered is not None:
        return f'"{name}" is an argument of {", ".join(takers)}, and this run starts no deploy that takes it'
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f'"{name}" is an argument of {", ".join(takers)}, not a setting: give it with --data {name}={text}'


def _article(value: Any) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _fits(value: Any, default: Any) -> bool:
    if default is None or isinstance(default, type(value)):
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return False
    if isinstance(default, float):
        return isinstance(value, int)
    if isinstance(default, str):  # `--data release=2` arrives as a number
        return isinstance(value, int | float)
    return isinstance(default, list | tuple) and isinstance(value, list | tuple)


def coerce(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same settings, with numbers converted to text where the default is text."""
    known = defaults()
    return {
        name: str(value) if isinstance(known.get(name), str) and isinstance(value, int | float) else value
        for name, value in values.items()
    }


def overlay(setting: Settings, kept: Mapping[str, Any], keeps: Keeps, services: Collection[str]) -> Settings:
    """The settings plus what the environment keeps, {"KIND NAME": value}. Kept values belong to no checkout and
    override group data; roles define their kinds (Role.keeps). Numbers of services that no longer exist are left out.
    """
    values = dict(setting)
    for key, value in kept.items():
        kind, _, name = key.partition(" ")
        known = values.get(keeps.get(kind, ""))
        if isinstance(known, Mapping) and name in services:
            values[keeps[kind]] = {**known, name: value["value"]}
        elif isinstance(known, list) and name not in known:
            values[keeps[kind]] = [*known, name]
    return Settings(values)
