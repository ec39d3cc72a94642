"""Set the number of replicas of services; later runs keep it."""

from collections.abc import Sequence
from functools import partial

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import Act
from roles.service.plan import notes
from roles.service.scale import size
from runbooks.daily import arguments

CATALOGUE = "catalogue"


def plan(run: Run, services: Sequence[str] = (), replicas: str = "") -> Sequence[Act]:
    """Keep the number; refused if the hosts have no room for it."""
    env, wanted = run.environment, replicas
    if not services or not (wanted == CATALOGUE or wanted.isdigit()) or wanted == "0":
        raise OperatorError(
            "name services and a number: --data service=auth-service --data replicas=3, or replicas=catalogue for the "
            "number that catalogue and settings give. To remove a service, use services_excluded"
        )
    values = {f"replicas {name}": None if wanted == CATALOGUE else {"value": int(wanted)} for name in services}
    before, after = arguments.with_kept(run, {}), arguments.with_kept(run, values)
    notes(after)
    known = run.hosts.kept()
    news = {key: value for key, value in values.items() if known.get(key) != value}
    acts = []
    for key, value in news.items():
        about = env.catalogue.service(key.removeprefix("replicas "))
        change = f"{size(before, about).replicas} -> {size(after, about).replicas}"
        acts.append(Act(f"Set replicas of {about.name}: {change}", partial(arguments.keep, run, {key: value})))
    return acts
