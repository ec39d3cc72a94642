"""Kinds of arguments: how each kind reads the text after `--data NAME=`, and which text it refuses."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nexus.environment.environment import Environment
from nexus.error import OperatorError, nearest, split
from nexus.run.role import Roles
from nexus.run.since import moment

InEnvironment = Callable[[], Environment]  # OperatorError in a run of this machine alone, which has none
TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0", "")


@dataclass(frozen=True)
class Argument:
    """An argument: its meaning and its default. Each subclass is a kind.

    Kinds that need no environment work on a run of this machine alone (`pyinfra @local`) as well.
    """

    meaning: str
    default: Any = ""
    form: ClassVar[str] = "TEXT"
    needs_environment: ClassVar[bool] = False

    def read(self, name: str, text: str, environment: InEnvironment) -> Any:
        """Return the value of a text; OperatorError if it is not valid. Only kinds that need it call `environment`."""
        return text

    def shown(self, roles: Roles) -> str:
        """Return the form of valid values, for the help text."""
        return self.form


class Word(Argument):
    """Any text."""


class Flag(Argument):
    """True or false; false by default."""

    form = "true"

    def __init__(self, meaning: str) -> None:
        super().__init__(meaning, False)

    def read(self, name: str, text: str, environment: InEnvironment) -> bool:
        """Return True if the flag is set."""
        return flag(name, text)


class Number(Argument):
    """A whole number."""

    form = "NUMBER"

    def read(self, name: str, text: str, environment: InEnvironment) -> int:
        """Return the number."""
        try:
            return int(text)
        except ValueError:
            raise OperatorError(f"{name}={text} is not a whole number such as {self.default}") from None


@dataclass(frozen=True)
class Choice(Argument):
    """One of a few words."""

    among: tuple[str, ...] = field(kw_only=True)

    def read(self, name: str, text: str, environment: InEnvironment) -> str:
        """Return the word."""
        if text not in (*self.among, self.default):
            raise OperatorError(f"{name}={text} is unknown: write {', '.join(self.among[:-1])} or {self.among[-1]}")
        return text

    def shown(self, roles: Roles) -> str:
        """Return the words that are valid."""
        return "|".join(self.among)


@dataclass(frozen=True)
class Store(Argument):
    """A store whose role has a failover.py with the function `does`, such as "switch"."""

    does: str = field(kw_only=True)

    def shown(self, roles: Roles) -> str:
        """Return the names of these stores, the default first."""
        able = [module for module in roles.bringing("failover").values() if hasattr(module, self.does)]
        able.sort(key=lambda module: not getattr(module, "DEFAULT", False))
        return "|".join(module.STORE for module in able)


class Since(Argument):
    """How far back: 30s, 15m, 3h, 7d, yesterday, today, a date or a time."""

    form = "TIME"

    def read(self, name: str, text: str, environment: InEnvironment) -> str:
        """Return the text unchanged; OperatorError if it is not a time."""
        moment(text, time.time(), name)
        return text


class Host(Argument):
    """A host of the inventory."""

    form = "HOST"
    needs_environment = True

    def read(self, name: str, text: str, environment: InEnvironment) -> str:
        """Return the name of the host."""
        try:
            return environment().host(text).name if text else ""
        except OperatorError as error:
            raise OperatorError(f"{name}={text}: {error}") from None


class Services(Argument):
    """Services of the catalogue, separated by commas, or all."""

    form = "SERVICE,...|all"
    needs_environment = True

    def __init__(self, meaning: str) -> None:
        super().__init__(meaning, ())

    def read(self, name: str, text: str, environment: InEnvironment) -> list[str]:
        """Return the names of the services, in start order."""
        env = environment()
        known = list(env.catalogue.services)
        words = known if text == "all" else split(text)
        for word in words:
            _check_service(name, word, env)
        return [service for service in known if service in words]


class Service(Argument):
    """One service of the catalogue."""

    form = "SERVICE"
    needs_environment = True

    def read(self, name: str, text: str, environment: InEnvironment) -> str:
        """Return the name of the service."""
        if text:
            _check_service(name, text, environment())
        return text


def flag(name: str, text: str) -> bool:
    """Return True if the text sets a flag; OperatorError if it is neither true nor false."""
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise OperatorError(f"{name}={text} is neither true nor false: write {name}=true, or leave it out")


def _check_service(name: str, word: str, env: Environment) -> None:
    known = list(env.catalogue.services)
    if word not in known:
        raise OperatorError(f"{name}={word}: {env.name} has no such service{nearest(word, known)}")
