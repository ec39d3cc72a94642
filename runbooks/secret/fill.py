"""`python -m runbooks.secret.fill ENV`: make the secrets that an environment's plans need and its file lacks.

Encrypts the file again if the recipients changed. Touches only the secrets file, no host. Existing secrets stay as
they are.
"""

import sys
from collections.abc import Mapping
from typing import Any

from nexus.cli.command import command
from nexus.environment import inventory
from nexus.environment.environment import Environment
from roles.table import ROLES


def fill(name: str, data: Mapping[str, Any] | None = None) -> list[str]:
    """Names of the secrets that were made; the file is written only if there are any, or if recipients changed."""
    env = inventory.load(name, {**(data or {}), "secrets_generate": True})
    before = set(env.secrets.names())
    for host in env.hosts:
        for role in ROLES.of(host):
            ROLES.plan(role)(env, host)
    made = sorted(set(env.secrets.names()) - before)
    tell_moves(env)
    env.secrets.save(readdress=True)
    return made


def tell_moves(env: Environment) -> None:
    """Say for whom the file is encrypted from now on, and what to do about people who can no longer read it."""
    added, removed = env.secrets.recipient_changes()
    known = env.secrets.path.exists()
    for who in added if known else []:
        print(f"{who} can read the secrets of {env.name} from now on")
    for who in removed:
        print(f"{who} can no longer read the secrets of {env.name}, but still knows the present ones")
    if removed:
        print(
            "change the secrets that they know: "
            f"`pyinfra inventory/{env.name}.py deploys/rotate_secrets.py --data secrets=all`; "
            f"`make secrets-status NEXUS_ENV={env.name}` lists those that are left, old backups and commits included"
        )


def lines(name: str) -> list[str]:
    """Make the missing secrets; return what was made."""
    made = fill(name)
    return [*(f"made {secret}" for secret in made), f"{len(made)} secrets made for {name}"]


if __name__ == "__main__":
    sys.exit(command("runbooks.secret.fill", lines, sys.argv[1:]))
