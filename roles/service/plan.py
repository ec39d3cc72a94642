"""The services as a manager of the swarm holds them: the stack file, and each service and its secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from roles.catalogue import capacity
from roles.kit.environment import Environment, Host
from roles.kit.error import OperatorError
from roles.kit.model import Desired, Directory, File, State
from roles.storage.plan import notes as storage_notes
from roles.swarm.plan import CLIENT, leader

from .contents import config, env_file, secret_name, secrets
from .released import recorded_secrets, released
from .scale import warnings
from .stack import definitions, properties, stack_file

SOURCE = Path(__file__).with_name("remote.py")
STACK = "/etc/nexus-cos/stack.yaml"


def notes(env: Environment) -> list[str]:
    """What services do without here; OperatorError when they do not fit on the hosts that were asked."""
    told = storage_notes(env)
    report = capacity.of_environment(env)
    if report.errors:
        lines = "\n  ".join(str(finding) for finding in report.errors)
        raise OperatorError(f"the services of {env.name} do not fit on its hosts:\n  {lines}")
    return told + warnings(env) + held_back(env) + [str(finding) for finding in report.findings]


def held_back(env: Environment) -> list[str]:
    """Services that went back and so keep a configuration which is not that of this checkout."""
    lines = []
    for name, service in env.catalogue.services.items():
        now = released(env, name)
        if now.pinned and now.config != secret_name(env, f"{name}-config", env_file(config(env, service))):
            lines.append(f"{name} keeps the configuration of its release {now.release} until it is released again")
    return lines


def plan(env: Environment, host: Host) -> Desired:
    """The whole stack on the manager that this run talks to, nothing on any other host."""
    if not env.group("app") or host.name != leader(env).name:
        return Desired()
    contents = definitions(env)
    kept: dict[str, str] = {}
    for service in env.catalogue.services.values():
        kept |= {name: text for name, text in secrets(env, service).values() if text}
    items: dict[str, dict[str, Any]] = {f"secret {name}": {} for name in kept}
    items |= {f"service {name}": properties(content) for name, content in contents.items()}
    setting = env.setting
    state = State(
        "service",
        SOURCE,
        items,
        context={
            "phase_seconds": setting.service_phase_timeout_seconds,
            "keep_days": setting.service_secret_keep_days,
            "recorded": recorded_secrets(env),
            "depends_on": {name: list(s.depends_on) for name, s in env.catalogue.services.items()},
        },
        payload={"definitions": contents, "secrets": kept},
        extra="remove",
        libraries=(*CLIENT, "roles.service.rollout"),
        timeout_seconds=(len(env.catalogue.phases()) + 2) * setting.service_phase_timeout_seconds,
    )
    return Desired(
        directories=(Directory("/etc/nexus-cos"),),
        files=(File(STACK, stack_file(contents), mode=0o600),),
        states=(state,),
    )
