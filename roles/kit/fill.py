"""`python -m roles.kit.fill ENV`: make the secrets that an environment's plans need and its file lacks.

Touches the secrets file alone, no host. What is there already stays as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from roles.kit import environment
from roles.kit.error import OperatorError
from roles.plans import plan_of, roles_of


def fill(name: str, data: Mapping[str, Any] | None = None) -> list[str]:
    """Names of the secrets that were made; the file is written only when there are any."""
    env = environment.load(name, {**(data or {}), "secrets_generate": True})
    before = set(env.secrets.names())
    for host in env.hosts:
        for role in roles_of(host):
            plan_of(role)(env, host)
    made = sorted(set(env.secrets.names()) - before)
    env.secrets.save()
    return made


def main(arguments: list[str]) -> int:
    """Exit status."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m roles.kit.fill ENV   (ENV is a file inventory/ENV.py)", file=sys.stderr)
        return 2
    try:
        made = fill(arguments[0])
    except OperatorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(*[f"made {name}" for name in made], f"{len(made)} secrets made for {arguments[0]}", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
