"""`python -m runbooks.handoff ENV [observation=stored|none|FILE] [drift=refuse|allow] [key=FILE]`: pages and bundles.

No host is asked: the pages show the observation that `make handoff` stored, or, with `none`, the plan alone. `key` is
used in place of the setting handoff_signing_key.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nexus.cli.command import NO_SECRETS, command
from nexus.environment.environment import Environment
from nexus.environment.inventory import load
from nexus.error import OperatorError
from roles.table import ROLES
from runbooks.handoff import observation
from runbooks.handoff.build import build
from runbooks.handoff.commit import commit
from runbooks.handoff.handoff import Handoff

KNOWN = {"observation": "stored", "drift": "refuse", "key": ""}


def environment(name: str, settings: Mapping[str, Any]) -> Environment:
    """The environment with these settings and without secrets, which can take over what an environment keeps."""
    env = load(name, {**NO_SECRETS, **settings})
    env.keeps = ROLES.keeps
    return env


def lines(name: str, words: list[str]) -> Iterator[str]:
    """What was made; OperatorError for an unknown argument."""
    given = dict(KNOWN)
    for word in words:
        key, _, value = word.partition("=")
        if key not in KNOWN or not value or (key == "drift" and value not in ("refuse", "allow")):
            raise OperatorError(f"{word}: write observation=stored, none or a file, drift=refuse or allow, key=FILE")
        given[key] = value
    env = environment(name, {"handoff_signing_key": given["key"]} if given["key"] else {})
    seen = None
    if given["observation"] != "none":
        stored = given["observation"] == "stored"
        seen = observation.load(observation.path_of(env) if stored else Path(given["observation"]), env)
    yield str(build(Handoff.of(env, commit(), seen, given["drift"] == "allow")))


if __name__ == "__main__":
    sys.exit(command("runbooks.handoff", lambda name: lines(name, sys.argv[2:]), sys.argv[1:2]))
