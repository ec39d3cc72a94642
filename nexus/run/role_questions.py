"""The parts that roles ask a host for in a report, in one request. nexus/run/role.py describes the roles' files."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyinfra.api.exceptions import PyinfraError

import nexus.agent
from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.run.role import Roles
from nexus.run.run import Run
from nexus.run.side_by_side import reached, side_by_side

SOURCE = Path(nexus.agent.__path__[0], "parts.py")
STATUS, DAILY = "status", "daily"  # files of roles


@dataclass(frozen=True)
class Part:
    """One part of a host's answer: the host-side module that answers it, and its context."""

    module: str
    context: Mapping[str, Any]


Parts = dict[str, Part]


def question(roles: Roles, env: Environment, host: Host, file: str = STATUS, only: Collection[str] = ()) -> Parts:
    """Return all parts to ask a host for, or those of some roles; OperatorError if two roles ask for the same part."""
    found: Parts = {}
    for name, module in roles.bringing(file).items():
        if only and name not in only:
            continue
        asked = module.question(env, host) if hasattr(module, "question") else {}
        if twice := found.keys() & asked:
            raise OperatorError(f"role {name}: another role also asks hosts for {', '.join(sorted(twice))}")
        found |= {part: _part(roles, name, file, context) for part, context in asked.items()}
    return found


def ask(run: Run, name: str, only: Collection[str] = ()) -> dict[str, Any]:
    """Return {part: answer} of one host for the status, for all roles or some; OperatorError if it does not answer."""
    env = run.environment
    env = env.with_facts([run.hosts.host(name)], env.digests)  # its memory decides how much its stores should use
    host = env.host(name)
    parts = question(run.all_roles, env, host, STATUS, only)
    for role, module in run.all_roles.bringing(STATUS).items():
        if hasattr(module, "run_question") and (role in only or not only):
            for part, known in module.run_question(run, host).items():
                planned = parts.get(part) or _part(run.all_roles, role, STATUS, {})
                parts[part] = replace(planned, context={**planned.context, **known})
    return ask_parts(run, name, parts, int(env.setting.status_answer_seconds))


def ask_all(run: Run, question: Callable[[Run, str], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return `question(run, name)` for each host; {"host": {"error": reason}} for a host that does not answer."""

    def answer(name: str) -> dict[str, Any]:
        try:
            return question(run, name)
        except PyinfraError as error:
            return {"host": {"error": str(error)}}

    return side_by_side(answer, reached(run))


def ask_parts(run: Run, name: str, parts: Mapping[str, Part], seconds: int) -> dict[str, Any]:
    """Return {part: answer} of one host, from one request. A part that takes longer than `seconds` has no answer."""
    if not parts:
        return {}
    told = {key: {"module": part.module, "context": dict(part.context)} for key, part in parts.items()}
    modules = [part.module for part in parts.values()]
    return run.hosts.ask_source(name, SOURCE, list(parts), {"parts": told, "seconds": seconds}, modules)


def _part(roles: Roles, name: str, file: str, context: Mapping[str, Any]) -> Part:
    return Part(f"{roles.package}.{name}.host.{file}", context)
