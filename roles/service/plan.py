"""The services as a manager of the swarm has them: the stack file, and each service, its configs and its secrets."""

from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.plan.desired import Desired, Directory, File, State
from nexus.plan.diff import Answer
from roles.service import capacity, engine
from roles.service.contents import config_item, contents
from roles.service.released import recorded_configs, released
from roles.service.scale import warnings
from roles.service.stack import definitions, properties, stack_file
from roles.storage.plan import notes as storage_notes
from roles.swarm.plan import leader

SOURCE = Path(__file__).parent / "host/state.py"
STACK = "/etc/nexus-cos/stack.yaml"


def notes(env: Environment) -> list[str]:
    """Notes about what services lack here; OperatorError when they do not fit on the hosts."""
    told = storage_notes(env) + engine.notes(env)
    report = capacity.of_environment(env)
    if report.errors:
        lines = "\n  ".join(str(finding) for finding in report.errors)
        raise OperatorError(f"the services of {env.name} do not fit on its hosts:\n  {lines}")
    return told + warnings(env) + pinned_config_notes(env) + [str(finding) for finding in report.findings]


def pinned_config_notes(env: Environment) -> list[str]:
    """Services that went back to a release whose configuration is not that of this checkout."""
    lines = []
    for name, service in env.catalogue.services.items():
        now = released(env, name)
        if now.pinned and f"config {now.config}" != config_item(env, service)[0]:
            lines.append(f"{name} keeps the configuration of its release {now.release} until it is released again")
    return lines


def plan(env: Environment, host: Host) -> Desired:
    """The whole stack on the manager that this run talks to; nothing on other hosts."""
    if not env.group("app") or host.name != leader(env).name:
        return Desired()
    stack = definitions(env)
    files = contents(env, env.catalogue.services.values())
    items: dict[str, dict[str, Any]] = {item: {} for item in files}
    items |= {f"service {name}": properties(content) for name, content in stack.items()}
    setting = env.setting
    state = State(
        "service",
        SOURCE,
        items,
        context={
            "phase_seconds": setting.service_phase_timeout_seconds,
            "keep_days": setting.service_secret_keep_days,
            "recorded": recorded_configs(env),
            "depends_on": {name: list(s.depends_on) for name, s in env.catalogue.services.items()},
        },
        payload={"definitions": stack, "contents": files},
        extra="remove",
    )
    return Desired(
        directories=(Directory("/etc/nexus-cos"),), files=(File(STACK, stack_file(stack), mode=0o600),), states=(state,)
    )


def releases(answer: Answer) -> dict[str, str]:
    """The release of every running service, with the start of its image's digest: "2.4.1@3f2c81d05a17"."""
    found: dict[str, str] = {}
    for item, about in answer["states"].get("service", {}).get("items", {}).items():
        if item.startswith("service ") and about.get("image"):
            image, _, digest = about["image"].partition("@sha256:")
            found[item.removeprefix("service ")] = f"{image.rpartition(':')[2]}@{digest[:12]}"
    return found
