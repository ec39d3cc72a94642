"""Maintenance: a host without tasks, or a page in place of a module; the environment keeps it until it is ended."""

from collections.abc import Sequence
from functools import partial

from nexus.error import OperatorError, nearest
from nexus.run.run import Run
from nexus.run.runbook import Act, carry_out
from nexus.secrets.store import now
from roles.nginx.location import closed_services
from roles.swarm.plan import nodes
from runbooks.daily import arguments
from runbooks.daily.restart import SERVICES


def plan(
    run: Run, host: str = "", module: str = "", services: Sequence[str] = (), back: bool = False, message: str = ""
) -> Sequence[Act]:
    """Begin maintenance or, with `back`, end it. A host's tasks start elsewhere before the host is drained."""
    if [bool(host), bool(module), bool(services)].count(True) != 1:
        raise OperatorError("name one: --data host=app2, --data module=puabo-nexus or --data service=auth-service")
    if message and (back or not module):
        raise OperatorError(
            "message is for visitors of a module that this run closes: name one with --data module=puabo-nexus, or "
            "drop message"
        )
    return _host(run, host, back) if host else _edge(run, module, services, back, message)


def _host(run: Run, name: str, back: bool) -> Sequence[Act]:
    env, key = run.environment, f"drained {name}"
    host = env.host(name)
    if name not in [node.name for node in nodes(env)] or "app" not in host.groups:
        raise OperatorError(f"host={name} runs no services: for a store's host use deploys/failover.py and status.py")
    if back:
        if key not in run.hosts.kept():
            return []
        return [Act(f"Let {name} take tasks again", partial(arguments.keep, run, {key: None}))]
    drained = {key[8:] for key in run.hosts.kept() if key.startswith("drained ")} | {name}
    left = [other.name for other in env.group("app") if other.name not in drained | env.left_out]
    if not left:
        raise OperatorError(f"host={name}: no other app host would be left to run the services")
    if key in run.hosts.kept():
        return []
    context = {"address": host.address, "seconds": env.setting.service_phase_timeout_seconds}
    empty = partial(carry_out, run, arguments.manager(run), f"empty {name}", SERVICES, "empty", context)
    return [
        Act(f"Start the tasks of {name} on {', '.join(left)}", empty),
        Act(f"Keep {name} drained until back=true", partial(arguments.keep, run, {key: {"at": now()}})),
    ]


def _edge(run: Run, module: str, services: Sequence[str], back: bool, message: str) -> Sequence[Act]:
    env = run.environment
    modules = [module.slug for module in env.catalogue.modules]
    if module and module not in modules:
        raise OperatorError(f"module={module}: unknown module{nearest(module, modules)}")
    names = [module] if module else services
    kept = run.hosts.kept()
    if back:
        there = [name for name in names if f"maintenance {name}" in kept]
        opened = [(name, {f"maintenance {name}": None}) for name in there]
        return [Act(f"Open {name} again", partial(arguments.keep, run, changes)) for name, changes in opened]
    closed = kept.get(f"maintenance {module}")
    if message and closed and closed.get("message") != message:
        changes = {f"maintenance {module}": {**closed, "message": message}}
        return [Act(f"Change the message of {module}", partial(arguments.keep, run, changes))]
    before = [key[12:] for key in kept if key.startswith("maintenance ")]
    routed = {route.service for route in env.catalogue.routes}
    open_now = set(closed_services(env, [*env.setting.nginx_maintenance, *before]))
    closes = [
        name
        for name in closed_services(env, [*env.setting.nginx_maintenance, *before, *names])
        if name in routed and name not in open_now
    ]
    fresh = [name for name in names if f"maintenance {name}" not in kept]
    if fresh and not closes and not module:
        raise OperatorError(f"service={','.join(fresh)}: no open route at the edge leads there: nothing to close")
    pages = [each.slug for each in env.catalogue.modules if each.slug == module and each.frontend]
    if fresh and not closes and not pages:
        raise OperatorError(
            f"module={module}: every service of it also serves other modules and would be closed to them, too. "
            "To do that, name services: --data service=..."
        )
    what = f"a page for {', '.join((*(f'/{slug}/' for slug in pages), *closes))}"
    value = {"at": now(), **({"message": message} if message else {})}
    return [Act(f"Close {n}: {what}", partial(arguments.keep, run, {f"maintenance {n}": value})) for n in fresh]
