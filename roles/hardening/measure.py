"""One measure of hardening, and what it sets on a host."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Directory, File, Unit

Settings = Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """What a measure sets on one host.

    `ssh`: {keyword: value} for sshd. `sysctl`: {key: value} for the kernel, where a `*` means every interface.
    `states`: {item of the state "hardening": its properties}; its first word is a kind in host/state.py.
    """

    ssh: Settings = field(default_factory=dict)
    sysctl: Settings = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    directories: tuple[Directory, ...] = ()
    files: tuple[File, ...] = ()
    units: tuple[Unit, ...] = ()
    states: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def everywhere(env: Environment, host: Host) -> bool:
    """Every host."""
    return True


@dataclass(frozen=True)
class Measure:
    """A line of the catalogue.

    `sets` and `reason` are for people, one sentence each. `check` is a command that shows on a host what is in force.
    `applies` says which hosts a measure is for.
    """

    name: str
    sets: str
    reason: str
    check: str
    part: Callable[[Environment, Host], Part]
    applies: Callable[[Environment, Host], bool] = everywhere


@dataclass(frozen=True)
class TakenBack:
    """A measure that `hardening_except` takes back on a host; `why` is empty where the setting has no reason."""

    host: str
    measure: Measure
    why: str
