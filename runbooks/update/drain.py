"""A host without tasks while it is updated. The environment does not keep this: any later run ends it."""

from collections.abc import Iterator
from pathlib import Path

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import carry_out
from roles.swarm.plan import managers
from runbooks.daily.restart import SERVICES

NODE = Path(__file__).parent / "host/node.py"


def drains(run: Run, name: str) -> bool:
    """Whether a host takes tasks that can run elsewhere: it is not in maintenance, and another app host takes tasks."""
    env = run.environment
    kept = {key.removeprefix("drained ") for key in run.hosts.kept() if key.startswith("drained ")}
    drained = kept | set(env.setting.swarm_drained)
    app = [host.name for host in env.group("app")]
    return name in app and name not in drained and bool(set(app) - drained - {name} - env.left_out)


def drain(run: Run, name: str) -> None:
    """Start the tasks of a host elsewhere, new ones first, then end them there."""
    seconds = run.environment.setting.service_phase_timeout_seconds
    context = {"address": run.environment.host(name).address, "seconds": seconds}
    manager = next(_others(run, name), name)
    carry_out(run, manager, f"empty {name}", SERVICES, "empty", context)
    carry_out(run, manager, f"drain {name}", NODE, "drain", context)


def activate(run: Run, name: str) -> None:
    """Let a host take tasks again: any manager that answers is asked, the host itself last."""
    context = {"address": run.environment.host(name).address}
    errors = []
    for manager in (*_others(run, name), name):
        try:
            carry_out(run, manager, f"let {name} take tasks", NODE, "activate", context)
            return
        except OperatorError as error:
            errors.append(str(error))
    raise OperatorError(f"{name} IS STILL DRAINED: {'; '.join(errors)}. deploys/container.py ends that")


def _others(run: Run, name: str) -> Iterator[str]:
    """Managers of the swarm that this run reaches, without this host."""
    return filter(run.hosts.reaches, [host.name for host in managers(run.environment) if host.name != name])
