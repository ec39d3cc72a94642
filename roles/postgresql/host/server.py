"""This host's running server, compared with the plan: settings in force, access rules, and what is paused.

A run resets settings that somebody changed past Patroni (ALTER SYSTEM, a file in the data directory): Patroni neither
prevents nor notices that. A run only reports orders that stop work on purpose: a server set to read only, a replica
whose replay is paused. If connections are used up, it reports who holds them.
"""

import re
from collections.abc import Mapping
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError, run
from nexus.agent.wait import tries
from roles.postgresql.host.local import ask, local, seen
from roles.postgresql.host.planned import SERVER

Item = Mapping[str, Any]
READ_ONLY = "default_transaction_read_only"
# Settings that a restore or Patroni makes.
RECOVERY = ("restore_command", "recovery_target", "primary_conninfo", "primary_slot_name")
BY_ROLE = {"user": "role postgres", "database": "database postgres", "global": "role all"}
SETTLE_SECONDS = 20
HELD_BYTES = 64 << 20  # a slot that nobody reads keeps all later log until the disk is full
SIZE = re.compile(r"(-?\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB|us|ms|s|min|h|d)")
UNITS = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
UNITS |= {"us": 1, "ms": 1000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
PSQL = "runuser -u postgres -- psql -c"


def probe(names: list[str], context: Item) -> dict[str, dict[str, Any]]:
    """Return the item "server"; as planned until a server answers: the step that starts it reports failures."""
    told = seen(context)
    return {"server": condition(told, context) if told else dict(SERVER)}


def apply(change: Change) -> None:
    """Remove settings that were made past Patroni, and have Patroni write its files again."""
    context = change.context
    told = ask(context)
    if not told:
        return
    for name in altered(told):
        local(f'alter system reset "{name}";', context)
        print(f"{name}: removed the value that ALTER SYSTEM had set")
    run(["systemctl", "reload", "patroni"], timeout=60)
    for _ in tries(SETTLE_SECONDS, pause=1):
        left = remaining(ask(context), context)
        if not left:
            return
    raise RemoteError(
        "PostgreSQL here does not run with Patroni's settings: " + "; ".join(left) + ". `select name, setting, "
        "source, sourcefile, sourceline from pg_settings` there shows where they come from"
    )


def condition(told: Item, context: Item) -> dict[str, Any]:
    """Return what differs from the plan, by kind; with an obstacle or a note where a person must decide."""
    found: dict[str, Any] = {
        "settings": different(told, context),
        "altered": altered(told),
        "access": rules(told, context),
        "synchronous": bool(told["replica"] or told["synchronous"] or not context["synchronous"]),
    }
    if obstacle := stopped(told) or crowded(told, context):
        found["obstacle"] = obstacle
    kept = [f"{name} ({size >> 20} MiB)" for name, size in told["slots"] if size > HELD_BYTES]
    if kept:
        found["note"] = (
            f"replication slots that nobody reads keep the log and fill the disk: {', '.join(kept)}. "
            f"If they are no longer needed: {PSQL} \"select pg_drop_replication_slot('NAME')\""
        )
    return found


def stopped(told: Item) -> str:
    """An order that keeps this server from its work, and the command that ends it; "" if there is none."""
    setting, source = told["read_only"]
    ends = "system" if READ_ONLY in told["altered"] else BY_ROLE.get(source)
    if setting == "on" and ends:  # a value from Patroni's own settings is removed there
        return (
            f"{READ_ONLY} is on ({source}): PostgreSQL refuses all writes. When that is no longer wanted, run there: "
            f'{PSQL} "alter {ends} reset {READ_ONLY}" -c "select pg_reload_conf()"'
        )
    if told["replay_paused"]:
        return (
            "the replica's replay is paused, so it applies nothing. When that is no longer wanted, run there: "
            f'{PSQL} "select pg_wal_replay_resume()"'
        )
    return ""


def crowded(told: Item, context: Item) -> str:
    """Who holds the connections if none are left for services; "" otherwise, or if the plan changes their number."""
    most = int(told["settings"]["max_connections"][0])
    used = sum(told["clients"].values())
    if used < most - int(context["reserved"]) or str(most) != str(context["settings"]["max_connections"]):
        return ""
    held = ", ".join(f"{name} {number}" for name, number in list(told["clients"].items())[:3])
    return (
        f'all {most} connections are taken ({held}): end those that nobody needs ({PSQL} "select '
        "pg_terminate_backend(pid) from pg_stat_activity where usename = 'NAME' and state = 'idle'\"), or raise "
        "postgresql_max_connections"
    )


def different(told: Item, context: Item) -> list[str]:
    """Names of settings that are not in force as planned; Patroni handles those that wait for a restart."""
    return sorted(
        name
        for name, (setting, shown, waits) in (told["settings"] or {}).items()
        if not waits and not same(context["settings"][name], setting, shown)
    )


def altered(told: Item) -> list[str]:
    """Names of settings made by ALTER SYSTEM, which overrides everything that Patroni writes."""
    return [name for name in told["altered"] if name != READ_ONLY and not name.startswith(RECOVERY)]


def rules(told: Item, context: Item) -> list[str]:
    """Access files of the data directory that are not as Patroni writes them, and their errors."""
    found = list(told["rule_errors"])
    for name, wanted in context["access"].items():
        with open(f"{context['data']}/{name}", errors="replace") as stream:
            lines = [line.strip() for line in stream]
        if [line for line in lines if line and not line.startswith("#")] != list(wanted):
            found.append(f"{name} is not as planned")
    return found


def remaining(told: Item, context: Item) -> list[str]:
    """What still differs, in words. The speaker sets what the whole cluster shares."""
    if not told:
        return []
    names = [name for name in different(told, context) if name not in context["shared"]]
    found = [f"{name} is {told['settings'][name][1]}, not {context['settings'][name]}" for name in names]
    found += [f"{name} is set by ALTER SYSTEM" for name in altered(told)]
    if not condition(told, context)["synchronous"]:
        found.append("synchronous_standby_names is empty, so a write is on one host only")
    return found + rules(told, context)


def same(wanted: Any, setting: str, shown: str) -> bool:
    """Whether a planned value is in force; `setting` is the value in the server's own unit, `shown` includes a unit."""
    if isinstance(wanted, int | float):
        return float(setting) == float(wanted)
    words = {"true": "on", "false": "off", "yes": "on", "no": "off"}
    text = words.get(str(wanted).lower(), str(wanted))
    if text == shown:
        return True
    one, other = SIZE.fullmatch(text), SIZE.fullmatch(shown)
    return bool(one and other) and _amount(one) == _amount(other)


def _amount(match: re.Match[str] | None) -> float:
    return float(match[1]) * UNITS[match[2]] if match else 0
