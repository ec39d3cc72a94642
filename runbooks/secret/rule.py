"""How each secret of an environment is changed: those that can be rotated without lockouts, and the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from nexus.error import OperatorError, nearest, split
from nexus.secrets.store import LOGINS, NEXT, PREVIOUS

if TYPE_CHECKING:
    from nexus.environment.environment import Environment

Kind = Literal["pair", "both", "replace", "kept"]


@dataclass(frozen=True)
class Rule:
    """`pair`: two logins; the idle one gets the new password. `both`: old and new are accepted at the same time.
    `replace`: one value that roles replace in one step. `kept`: not changed here; `why` says what to do instead.

    An old value stays accepted for `hold_minutes` after the switch; -1 means until an operator ends it.
    """

    kind: Kind
    why: str = ""
    hold_minutes: int = 0


AUTHORITY = (
    "an authority, and every host and client must trust a new one first: make a new environment; or remove both of "
    "its secrets, `make secrets`, and run full.py in a window in which the platform may be down"
)
PROVIDER = "its provider makes it: get a new one there and enter it with `make secrets-edit`"
RULES: dict[str, Rule] = {
    "redis/*": Rule("both"),
    "nginx/api-key/*": Rule("both", hold_minutes=-1),
    "nginx/session-ticket": Rule("both", hold_minutes=1440),  # as long as a session lives
    "service/jwt": Rule("both"),  # held for as long as a token lives, see `rule_of`
    "service/fingerprint": Rule("replace"),
    "postgresql/superuser": Rule("replace"),
    "postgresql/replication": Rule("replace"),
    "postgresql/api": Rule("replace"),
    "rabbitmq/admin": Rule("replace"),
    "registry/upload": Rule("replace"),
    "rabbitmq/cookie": Rule(
        "kept",
        "all nodes of RabbitMQ must have the same one at any time; nodes also authenticate by certificates: stop the "
        "nodes, change it with `make secrets-edit`, run data.py",
    ),
    "tls/*": Rule("kept", AUTHORITY),
    "etcd/*": Rule("kept", AUTHORITY),
    "acme/account-key": Rule(
        "kept",
        "it is the account at authorities: remove it, `make secrets` makes another one, run edge.py. The certificate "
        "stays",
    ),
    "acme/*": Rule("kept", PROVIDER),
    "external/*": Rule("kept", PROVIDER),
    "grafana/admin": Rule("replace"),
    "elk/encryption": Rule(
        "kept",
        "Kibana reads with it what it encrypted: change it with `make secrets-edit`, then run "
        "monitoring.py, and enter connectors of Kibana again",
    ),
    "elk/*": Rule("replace"),
    "alertmanager/*": Rule("kept", PROVIDER),
    "mongodb/admin": Rule("kept", "change it in the server first, then enter it with `make secrets-edit`"),
    "mongodb/members": Rule("kept", "all members must have the same one: stop them, `make secrets-edit`, run data.py"),
    "storage/*/key": Rule("kept", PROVIDER),
    "storage/*": Rule("replace"),
    "backup/*": Rule("kept", "older backups can be read only with it: add a new one and keep this one"),
}
UNKNOWN = Rule("kept", "it has no rule: change it with `make secrets-edit`, then run full.py")


def rule_of(env: Environment, unit: str) -> Rule:
    """The rule of a unit, which is a pair of logins or a single secret."""
    if env.secrets.optional(f"{unit}/{LOGINS[0]}"):
        return Rule("pair")
    if env.secrets.optional(f"{unit}/key"):  # object storage of another provider
        return Rule("kept", PROVIDER)
    if unit == "service/jwt":
        return Rule("both", hold_minutes=env.catalogue.operations.auth_policy.jwt.access_minutes)
    return next((rule for pattern, rule in RULES.items() if fnmatchcase(unit, pattern)), UNKNOWN)


def unit_of(name: str) -> str:
    """The unit that a secret belongs to: "redis/x" for "redis/x/next", "postgresql/x" for "postgresql/x/a"."""
    stem, _, last = name.rpartition("/")
    return stem if last in (*LOGINS, NEXT, PREVIOUS) else name


def known_at(env: Environment, at: str) -> tuple[list[str], list[str]]:
    """The units known to someone who could read the file until then: those that can be changed here, and the others."""
    names = (name for name in env.secrets.names() if env.secrets.changed_at(name) <= at)
    known = sorted(set(map(unit_of, names)))
    kept = [unit for unit in known if rule_of(env, unit).kind == "kept"]
    return [unit for unit in known if unit not in kept], kept


def units(env: Environment) -> list[str]:
    """All names that `--data secrets=` accepts, sorted."""
    return sorted({unit_of(name) for name in env.secrets.names()})


def chosen(env: Environment, words: str) -> list[str]:
    """Units that an operator named: "all", names, the first part of names, patterns, separated by commas.

    OperatorError for an unknown name, and for a secret that is named exactly and is not changed here.
    """
    known = units(env)
    found: dict[str, None] = {}
    for word in split(words):
        if word == "all":
            matched: Iterable[str] = known
        else:
            matched = [unit for unit in known if unit == word or fnmatchcase(unit, word) or unit.startswith(f"{word}/")]
        if not matched:
            raise OperatorError(f"secrets={word}: {env.name} has no such secret{nearest(word, ['all', *known])}")
        rule = rule_of(env, word)
        if word in known and rule.kind == "kept":
            raise OperatorError(f"secrets={word} is not changed here: {rule.why}")
        found |= dict.fromkeys(matched)
    return [unit for unit in found if rule_of(env, unit).kind != "kept"]
