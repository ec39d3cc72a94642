"""Rows of the status about services that run in a cluster: what kubectl sees, compared with the records."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.run.row import Row
from roles.service.engine import KUBERNETES, engine_of
from roles.service.released import released
from runbooks.kubernetes import record, rollout
from runbooks.kubernetes.item import Object
from runbooks.kubernetes.kubectl import Cluster, deployments_of

KINDS = ("deployments.apps", "configmaps")
REMEDY = "run deploys/kubernetes.py"


def rows(env: Environment) -> Iterator[Row]:
    """Services that are rolled out, and those that do not run the release of their record; none without a cluster."""
    if engine_of(env) != KUBERNETES:
        return
    try:
        cluster = Cluster(env)
        there = cluster.items(KINDS)
    except OperatorError as error:
        yield Row("services", "rollouts", "unknown", "all rolled out", str(error))
        return
    names, found = list(env.catalogue.services), deployments_of(there)
    bad = [name for name in names if name not in found or not rollout.done(found[name])]
    value = f"{len(names) - len(bad)} of {len(names)} rolled out in {cluster.context}"
    why = [f"{name}: {_reason(cluster, found, name)}" for name in bad[:3]]
    yield Row("services", "rollouts", value, "all", f"{'; '.join(why)}. {REMEDY}" if bad else "")
    env = replace(env, kept=record.kept(there, names))
    other = [name for name in names if name not in found or not _as_recorded(env, found, name)]
    value = f"{len(names) - len(other)} of {len(names)} as recorded"
    yield Row("services", "releases", value, "all", f"{', '.join(other)}: {REMEDY}" if other else "")


def _reason(cluster: Cluster, found: Mapping[str, Object], name: str) -> str:
    return rollout.reason(cluster, found[name]) if name in found else "not there"


def _as_recorded(env: Environment, found: Mapping[str, Object], name: str) -> bool:
    now, planned = record.runs(found[name]), released(env, name)
    return (now.release, now.digest) == (planned.release, planned.digest)
