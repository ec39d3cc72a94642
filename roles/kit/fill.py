"""`python -m roles.kit.fill ENV`: make the secrets that an environment's plans need and its file lacks.

Encrypts the file anew where recipients came or went. Touches the secrets file alone, no host. What is there
already stays as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from roles.kit import inventories
from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.plans import plan_of, roles_of


def fill(name: str, data: Mapping[str, Any] | None = None) -> list[str]:
    """Names of the secrets that were made; the file is written only when there are any, or for new recipients."""
    env = inventories.load(name, {**(data or {}), "secrets_generate": True})
    before = set(env.secrets.names())
    for host in env.hosts:
        for role in roles_of(host):
            plan_of(role)(env, host)
    made = sorted(set(env.secrets.names()) - before)
    tell_moves(env)
    env.secrets.save(readdress=True)
    return made


def tell_moves(env: Environment) -> None:
    """Say for whom the file is going to be encrypted from now on, and what to do about who can read it no more."""
    added, removed = env.secrets.moves()
    known = env.secrets.path.exists()
    for who in added if known else []:
        print(f"{who} can read the secrets of {env.name} from now on")
    for who in removed:
        print(f"{who} can read the secrets of {env.name} no longer, and knows those that there are")
    if removed:
        print(
            f"change what they know: `pyinfra inventory/{env.name}.py deploys/rotate_secrets.py --data secrets=all`; "
            f"`make secrets-status NEXUS_ENV={env.name}` lists what is left, old backups and commits included"
        )


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
