"""The steps of a rotation. Each changes only the secrets file; the runs between them bring it to the hosts.

`introduce` makes new values that are accepted in addition to those in use; `switch` uses them; `retire` ends the old
ones. The file holds how far each secret has come, so an interrupted rotation continues from there, in another run
and on another machine.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from nexus.environment.environment import Environment
from nexus.secrets.store import LOGINS, NEXT, PREVIOUS, password
from runbooks.secret.rule import rule_of, units

PREPARED, SWITCHED = "prepared", "switched"


def introduce(env: Environment, wanted: Iterable[str]) -> list[str]:
    """Make new values for units whose rotation has not begun; return these units."""
    secrets = env.secrets
    begun = [unit for unit in wanted if not secrets.step(unit)]
    for unit in begun:
        match rule_of(env, unit).kind:
            case "pair":
                secrets.put(f"{unit}/{idle(env, unit)}", password())
            case "both":
                secrets.put(f"{unit}/{NEXT}", password())
        secrets.take_step(unit, PREPARED)
    return begun


def switch(env: Environment) -> list[str]:
    """Use the new values; return their units."""
    secrets = env.secrets
    found = [unit for unit in units(env) if secrets.step(unit) == PREPARED]
    for unit in found:
        kind = rule_of(env, unit).kind
        if kind == "pair":
            secrets.take_step(unit, SWITCHED, active=idle(env, unit))
            continue
        fresh = secrets.optional(f"{unit}/{NEXT}") if kind == "both" else None
        secrets.put(f"{unit}/{PREVIOUS}", secrets.get(unit))
        secrets.put(unit, fresh or password())
        secrets.put(f"{unit}/{NEXT}", None)
        secrets.take_step(unit, SWITCHED)
    return found


def retire(env: Environment, at_once: bool = False) -> list[str]:
    """End the old values whose time is over; return their units."""
    found = [unit for unit in switched(env) if at_once or not held(env, unit)]
    for unit in found:
        if rule_of(env, unit).kind == "pair":
            env.secrets.put(f"{unit}/{idle(env, unit)}", password())  # a password that nobody knows
        env.secrets.put(f"{unit}/{PREVIOUS}", None)
        env.secrets.take_step(unit, "")
    return found


def unfinished(env: Environment) -> list[str]:
    """Units whose rotation is unfinished."""
    return [unit for unit in units(env) if env.secrets.step(unit)]


def switched(env: Environment) -> list[str]:
    """Units whose old value is still accepted."""
    return [unit for unit in units(env) if env.secrets.step(unit) == SWITCHED]


def held(env: Environment, unit: str) -> str:
    """Until when the old value of a unit must stay accepted, in words; empty if it can be ended."""
    minutes = rule_of(env, unit).hold_minutes
    if minutes < 0:
        return "its holders have the new one and you end the old with --data retire=true"
    end = dt.datetime.fromisoformat(env.secrets.stepped_at(unit)) + dt.timedelta(minutes=minutes)
    return f"{end:%Y-%m-%d %H:%M} UTC" if end > dt.datetime.now(dt.UTC) else ""


def idle(env: Environment, pair: str) -> str:
    """The login of a pair that is not in use."""
    return LOGINS[1 - LOGINS.index(env.secrets.active(pair))]


def grouped(names: Iterable[str]) -> list[str]:
    """Units in short: "postgresql: 26 (auth-service, ...)"."""
    by_store: dict[str, list[str]] = defaultdict(list)
    for name in names:
        store, _, rest = name.partition("/")
        by_store[store].append(rest)
    shown = 4
    return [
        f"{store}: {len(members)} ({', '.join(members[:shown])}{', ...' if len(members) > shown else ''})"
        for store, members in by_store.items()
    ]
