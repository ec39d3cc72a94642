"""Another number of replicas for services, which every later run keeps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from roles.daily import naming
from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.runbook import Act
from roles.service.plan import notes
from roles.service.scale import size

CATALOGUE = "catalogue"


def plan(run: Run) -> Sequence[Act]:
    """Keep the number; refused where so many do not fit on the hosts."""
    env = run.environment
    names, wanted = naming.services(env, str(env.setting.service)), str(env.setting.replicas)
    if not names or not (wanted == CATALOGUE or wanted.isdigit()) or wanted == "0":
        raise OperatorError(
            "say which service and how many: --data service=auth-service --data replicas=3, or replicas=catalogue for "
            "as many as catalogue and settings say. A service is taken out by services_excluded"
        )
    values = {f"replicas {name}": None if wanted == CATALOGUE else {"value": int(wanted)} for name in names}
    before, after = naming.with_kept(run, {}), naming.with_kept(run, values)
    notes(after)
    known = run.kept()
    news = {key: value for key, value in values.items() if known.get(key) != value}
    acts = []
    for key, value in news.items():
        service = env.catalogue.service(key.removeprefix("replicas "))
        change = f"{size(before, service).replicas} -> {size(after, service).replicas}"
        acts.append(Act(f"Keep replicas of {service.name}: {change}", partial(naming.keep, run, {key: value})))
    return acts
