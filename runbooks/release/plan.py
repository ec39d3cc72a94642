"""A release as pure data: its services, their order, their definitions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nexus.catalogue.order import depths
from nexus.environment.environment import Environment
from roles.service.contents import CONFIG, contents, mounted
from roles.service.plan import STACK
from roles.service.released import Released, key
from roles.service.scale import size
from roles.service.stack import definition, definitions, properties, stack_file


@dataclass(frozen=True)
class Step:
    """One service on its way from one release to another."""

    name: str
    before: Released
    after: Released

    def __str__(self) -> str:
        return f"{self.name} {self.before.release} -> {self.after.release}"


def waves(env: Environment, names: Iterable[str], width: int) -> list[list[str]]:
    """Waves of at most `width` services, in dependency order; no service depends on another one of its wave."""
    depth = depths({name: service.depends_on for name, service in env.catalogue.services.items()})
    found = []
    wanted = list(names)
    for level in sorted({depth[name] for name in wanted}):
        members = [name for name in wanted if depth[name] == level]
        found += [members[at : at + max(1, width)] for at in range(0, len(members), max(1, width))]
    return found


def rollback_order(env: Environment, names: Sequence[str]) -> list[str]:
    """The services in the order of operations.yaml, then those that it does not name."""
    first = [name for name in env.catalogue.operations.rollback.order if name in names]
    return first + [name for name in names if name not in first]


def batches(env: Environment, names: Iterable[str]) -> list[list[str]]:
    """The same order as batches: the named services one by one, then all others at once."""
    rest = list(names)
    listed = [name for name in env.catalogue.operations.rollback.order if name in rest]
    others = [name for name in rest if name not in listed]
    return [[name] for name in listed] + ([others] if others else [])


def at(env: Environment, targets: Mapping[str, Released]) -> Environment:
    """The environment as if it kept these releases."""
    records = {key(name): {**env.kept.get(key(name), {}), "current": to.value()} for name, to in targets.items()}
    return env.with_facts(env.hosts, env.digests, {**env.kept, **records})


def work(env: Environment, targets: Mapping[str, Released]) -> dict[str, Any]:
    """The manager's work to bring services to these releases: definitions, contents of files, timeouts.

    Every later run plans the same definitions, so it finds nothing to do.
    """
    then = at(env, targets)
    services = {name: env.catalogue.service(name) for name in targets}
    definitions = {name: definition(then, service) for name, service in services.items()}
    at_once = max(1, int(env.setting.service_update_parallelism))
    each = int(env.setting.release_ready_seconds) + int(env.setting.service_update_monitor_seconds)
    return {
        "definitions": definitions,
        "contents": contents(then, services.values()),
        "items": {f"service {name}": properties(content) for name, content in definitions.items()},
        "seconds": {name: each * -(-size(env, service).replicas // at_once) for name, service in services.items()},
    }


def stack(env: Environment, running: Mapping[str, Released]) -> dict[str, str]:
    """{path: text} of the stack file as every later run plans it.

    Services without a release record are in it as they run: the `release` of this run does not concern them.
    """
    unrecorded = {name: replace(to, pinned=False) for name, to in running.items() if key(name) not in env.kept}
    return {STACK: stack_file(definitions(at(env, unrecorded)))}


NOTHING: Mapping[str, Any] = {"definitions": {}, "contents": {}, "items": {}, "seconds": {}}  # empty work


def config_name(env: Environment, name: str, to: Released) -> str:
    """The name of the configuration that a service runs with at this release."""
    return mounted(at(env, {name: to}), env.catalogue.service(name))[CONFIG][0].partition(" ")[2]
