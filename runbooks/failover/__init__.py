"""Planned and forced failovers, and rebuilds of replicas, for stores whose roles support them.

See `failover.py` of each role.
"""

from types import ModuleType

from pyinfra.api.deploy import deploy

from nexus.error import OperatorError
from nexus.run.role import Roles
from nexus.run.runbook import act

FILE = "failover"


@deploy("Failover")
def failover(to: str = "", store: str = "", force: bool = False) -> None:
    """Move the primary of a store to the host `to`, or to the best replica."""
    act("Fail over", lambda run: switching(run.all_roles, store).switch(run, to, force))


@deploy("Rebuild replica")
def rebuild_replica(host: str, store: str = "", force: bool = False) -> None:
    """Copy the replica on a host from the primary again."""
    act("Rebuild a replica", lambda run: rebuilding(run.all_roles, store).rebuild(run, host, force))


def switching(roles: Roles, store: str) -> ModuleType:
    """The module that moves the primary of a store; the default store if none is named."""
    known = stores(roles)
    module = _named(known, store)
    if module and hasattr(module, "switch"):
        return module
    if module:
        raise OperatorError(module.NO_SWITCH)
    able = [name for name, one in known.items() if hasattr(one, "switch")]
    able = [f"{name} (the default)" if _default(known[name]) else name for name in able]
    raise OperatorError(f'store="{store}": failover supports {" and ".join(able) or "no store"}')


def rebuilding(roles: Roles, store: str) -> ModuleType:
    """The module that rebuilds a replica of a store; the default store if none is named."""
    known = stores(roles)
    module = _named(known, store)
    if module and hasattr(module, "rebuild"):
        return module
    able = [one.TITLE for one in known.values() if hasattr(one, "rebuild")]
    why = getattr(module, "NO_REBUILD", "")
    text = f'store="{store}": only replicas of {" and ".join(able) or "no store"} can be rebuilt'
    raise OperatorError(f"{text}. {why[:1].upper()}{why[1:]}" if why else text)


def stores(roles: Roles) -> dict[str, ModuleType]:
    """All modules by the store's name; OperatorError if two roles bring the same name, or two are the default."""
    modules = roles.bringing(FILE)
    known = {module.STORE: module for module in modules.values()}
    if len(known) < len(modules) or sum(map(_default, modules.values())) > 1:
        raise OperatorError(
            f"roles {', '.join(modules)} bring {FILE}.py: each needs its own STORE, and only one may be the DEFAULT"
        )
    return known


def _named(known: dict[str, ModuleType], store: str) -> ModuleType | None:
    default = next((module for module in known.values() if _default(module)), None)
    return known.get(store) if store else default


def _default(module: ModuleType) -> bool:
    return bool(getattr(module, "DEFAULT", False))
