"""`python -m roles.secret ENV`: who can read the secrets of an environment, how old they are, what has to change."""

from __future__ import annotations

import sys

from roles.kit import inventories
from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.secret.rotation import unfinished
from roles.secret.rule import rule_of, unit_of


def lines(env: Environment) -> list[str]:
    """What there is to say, never a value."""
    secrets = env.secrets
    added, removed = secrets.moves()
    readers = list(secrets.readers.values()) or ["whoever has the key of this machine"]
    said = [f"{env.name}: {len(secrets.names())} secrets in {secrets.path}, read by {', '.join(readers)}"]
    if added or removed:
        said.append(f"  not encrypted anew yet for {', '.join([*added, *removed])}: make secrets NEXUS_ENV={env.name}")
    for name in secrets.names():
        unit = unit_of(name)
        rule = rule_of(env, unit)
        step = f", being changed: {secrets.step(unit)}" if secrets.step(unit) else ""
        said.append(f"  {name:52} {secrets.changed_at(name)[:10] or 'unknown':10}  {rule.kind}{step}")
    for one in secrets.departed:
        known = sorted({unit_of(name) for name in secrets.names() if secrets.changed_at(name) <= one["at"]})
        said.append(f"{one['name']} could read the secrets until {one['at']} and still knows {len(known)} of them:")
        turned = [unit for unit in known if rule_of(env, unit).kind != "kept"]
        if turned:
            said.append(f"  rotate_secrets.py changes {len(turned)}: --data secrets={','.join(turned[:3])}... or all")
        said += [f"  {unit}: {rule_of(env, unit).why}" for unit in known if unit not in turned]
    if begun := unfinished(env):
        said.append(f"a rotation of {len(begun)} was begun and not ended: run deploys/rotate_secrets.py")
    return said


def main(arguments: list[str]) -> int:
    """Exit status."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m roles.secret ENV   (ENV is a file inventory/ENV.py)", file=sys.stderr)
        return 2
    try:
        print(*lines(inventories.load(arguments[0])), sep="\n")
    except OperatorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
