"""`python -m runbooks.secret ENV`: who can read the secrets of an environment, their age, and what must change."""

import sys

from nexus.cli.command import command
from nexus.environment import inventory
from runbooks.secret.rotation import unfinished
from runbooks.secret.rule import known_at, rule_of, unit_of


def lines(name: str) -> list[str]:
    """The facts about an environment's secrets, never a value."""
    env = inventory.load(name)
    secrets = env.secrets
    added, removed = secrets.recipient_changes()
    readers = list(secrets.readers.values()) or ["anyone with this machine's key"]
    said = [f"{env.name}: {len(secrets.names())} secrets in {secrets.path}, read by {', '.join(readers)}"]
    if added or removed:
        said.append(
            f"  recipients changed, file not encrypted again yet: {', '.join([*added, *removed])}: "
            f"make secrets NEXUS_ENV={env.name}"
        )
    for name in secrets.names():
        unit = unit_of(name)
        rule = rule_of(env, unit)
        step = f", rotation: {secrets.step(unit)}" if secrets.step(unit) else ""
        said.append(f"  {name:52} {secrets.changed_at(name)[:10] or 'unknown':10}  {rule.kind}{step}")
    for one in secrets.departed:
        turned, kept = known_at(env, one["at"])
        known = len(turned) + len(kept)
        said.append(f"{one['name']} could read the secrets until {one['at']} and still knows {known} of them:")
        if turned:
            said.append(f"  rotate_secrets.py changes {len(turned)}: --data secrets={','.join(turned[:3])}... or all")
        said += [f"  {unit}: {rule_of(env, unit).why}" for unit in kept]
    if begun := unfinished(env):
        said.append(f"a rotation of {len(begun)} is unfinished: run deploys/rotate_secrets.py")
    return said


if __name__ == "__main__":
    sys.exit(command("runbooks.secret", lines, sys.argv[1:]))
