"""The effect of a mistake in the catalogue: it is refused with its place, or every host can be planned with it.

`PYTHONPATH=. .venv/bin/python tests/scenarios/fuzz.py SEED NUMBER` makes one mistake and shows its effect.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mutation import Mutation, draw

from nexus.catalogue import Catalogue, CatalogueError, Problem, load
from nexus.catalogue.size import Scale
from nexus.catalogue.table import table, totals
from nexus.environment import inventory
from nexus.environment.environment import Environment, Traits
from nexus.error import OperatorError
from nexus.plan import diff
from roles.functional.plan import checks
from roles.service import capacity
from roles.table import ROLES
from runbooks.release.canary import shares
from runbooks.release.gate import Limits
from runbooks.secret.rule import rule_of

REFUSED, PLANNED = "refused", "planned"
NO_SECRETS = {"secrets_file": "group_data/secrets/none", "secrets_generate": True}
HOST = Traits(64, 512 << 30, 1400, 0, "x86_64", {"memory": True, "cpu": True})  # large enough for everything
SECONDS = 20  # for one mistake, which takes a tenth of a second
PLACE = re.compile(r"\b(services|modules|gateway|operations)\.yaml:[1-9][0-9]*: [\w.-]+")
# A setting of the environment names what the catalogue no longer has, so the place is the setting.
SETTING = re.compile(r"^prometheus_alerts: operations\.yaml has no alert")
# The file as a whole is wrong, so there is no field to name.
WHOLE = ("is empty or not a mapping", "is not UTF-8", "is not valid YAML", "cannot be read", "is a directory", "has ")


class Unnamed(AssertionError):
    """A refusal that does not name the place of the mistake."""


class Fuzz:
    """The lab environment with other catalogues; no host is asked."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        env = inventory.load("lab", NO_SECRETS)
        self.env = replace(env, hosts=tuple(replace(host, traits=HOST) for host in env.hosts))

    def outcome(self, mutation: Mutation) -> tuple[str, str]:
        """REFUSED with the message, or PLANNED; every other error is a bug, and so is a refusal without a place."""
        copy = self.directory / str(mutation.number)  # each mistake in its own directory: loaded files are cached
        mutation.make(copy)
        with _in_time():
            try:
                self.plan(load(copy))
            except CatalogueError as error:
                for problem in error.problems:
                    _check_place(problem)
                return REFUSED, str(error)
            except OperatorError as error:
                if not (PLACE.search(str(error)) or SETTING.match(str(error))):
                    raise Unnamed(str(error)) from None
                return REFUSED, str(error)
            finally:
                shutil.rmtree(copy)
        return PLANNED, ""

    def plan(self, catalogue: Catalogue) -> None:
        """Plan every host, and read everything that runbooks and `make catalogue` read."""
        env = replace(self.env)
        env.__dict__["catalogue"] = catalogue.without(env.setting.services_excluded)
        for role in ROLES:
            ROLES.notes(role, env)
            for host in env.hosts:
                if role in ROLES.of(host):
                    desired = diff.complete(ROLES.plan(role)(env, host))
                    json.dumps([[dict(state.items), dict(state.context)] for state in desired.states])
                    ROLES.preflight(role, env, host)
        _read(env)


def _read(env: Environment) -> None:
    scale, report = Scale.of(env.setting), capacity.of_environment(env)
    lines = [*table(env.catalogue, scale), *totals(env.catalogue, scale), *map(str, report.findings)]
    "\n".join(lines).encode()
    Limits.of(env.catalogue, 1)
    shares(env, 10)
    checks(env)
    rule_of(env, "service/jwt")


def _check_place(problem: Problem) -> None:
    named = problem.field or problem.entry or problem.message.startswith(WHOLE)
    text = str(problem)
    if not (problem.file and problem.line >= 1 and named and problem.message and text.isprintable()):
        raise Unnamed(repr(problem))
    if len(text) > 600:
        raise Unnamed(f"{len(text)} characters: {text[:200]}...")


@contextmanager
def _in_time() -> Iterator[None]:
    """TimeoutError when a mistake causes an endless loop."""

    def late(*_: object) -> None:
        raise TimeoutError(f"takes longer than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


if __name__ == "__main__":
    mistake = draw(int(sys.argv[1]), int(sys.argv[2]))
    print(mistake)
    with tempfile.TemporaryDirectory() as place:
        print(*Fuzz(Path(place)).outcome(mistake), sep="\n")
