"""Apply the catalogue to a cluster: deploys/kubernetes.py.

The release of a service belongs to the cluster: a service that runs keeps it. runbooks/release changes releases.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from nexus import console
from nexus.environment.environment import Environment
from nexus.run.host_state import executing
from nexus.run.run import Run
from nexus.run.runbook import Act, act
from roles.image.releases import digests
from roles.registry.plan import registry_host
from roles.service.released import key as record_key
from roles.service.released import recorded_configs, released
from runbooks.kubernetes import autoscaling, capacity, config, graph, migration, record, rollout, tree
from runbooks.kubernetes.item import NAME, Object, key
from runbooks.kubernetes.kubectl import HANDOVER, KINDS, Cluster, deployments_of
from runbooks.kubernetes.render import reached, render
from runbooks.kubernetes.report import checked, notes

MOST_LINES = 400  # of a diff on the screen


def apply() -> None:
    """Apply everything; a service that does not run yet gets the release that the setting `release` names."""
    act("Kubernetes", plan)


def plan(run: Run) -> Sequence[Act]:
    """The acts that make the cluster as planned; none if it is."""
    cluster = Cluster(run.environment)
    there = cluster.items(KINDS)
    running = deployments_of(there)
    env = environment(run, there)
    rendered = checked(env, applied=True)
    objects = rendered.everything
    cluster.refuse(objects)
    tree.write(tree.directory(), render(env))
    gone = leftovers(cluster, env, there, objects)
    jobs = migration.missing(cluster, objects)
    rest = [each for each in objects if each["kind"] != "Job"]
    handed, least = autoscaling.handed_over(there, rest), autoscaling.least(rest)
    difference = cluster.diff(autoscaling.kept(rest, handed))
    if not executing():
        for line in (*notes(env), *pinned_notes(env), *capacity.lines(env), *_shown(difference)):
            console.say(f"    {line}")
    unfinished = [name for name, count in least.items() if name in running and not rollout.done(running[name], count)]
    if not (difference or gone or jobs or unfinished):
        return []
    first = [each for each in rest if each["kind"] == "Namespace"]
    last = [each for each in rest if each["kind"] in autoscaling.WORKLOADS]
    between = [each for each in rest if each not in first and each not in last]
    undo = bool(env.setting.kubernetes_undo)
    acts = [
        Act(f"Apply {len(first)} namespaces", partial(cluster.apply, first)),
        Act(f"Apply {len(between)} objects that pods need", partial(cluster.apply, between)),
        *(Act(f"Migrate: {key(each)[2]}", partial(migration.carry_out, cluster, each)) for each in jobs),
        *(
            [Act(f"Keep the replicas of {len(handed)} Deployments", partial(cluster.apply, handed, HANDOVER))]
            if handed
            else []
        ),
        Act(f"Apply {len(last)} Deployments and autoscalers", partial(cluster.apply, last)),
        Act("Wait for the rollouts", partial(rollout.wait, cluster, least, undo)),
    ]
    if gone:
        acts.append(Act(f"Delete {len(gone)} objects that are no longer planned", partial(cluster.delete, gone)))
    return acts


def _shown(difference: str) -> list[str]:
    lines = difference.splitlines()
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"... and {more} more lines"] if more > 0 else [])]


def environment(run: Run, there: Sequence[Object]) -> Environment:
    """The environment with what the cluster keeps, and the digests of images that it does not run yet."""
    env = run.environment
    env = replace(env.with_facts([], {}), kept=record.kept(there, env.catalogue.services))
    new = [name for name in env.catalogue.services if record_key(name) not in env.kept]
    ask = [name for name in new if name not in env.setting.kubernetes_digests]
    host = registry_host(env)
    if not ask or host is None or not run.hosts.reaches(host.name):
        return env
    found = digests(run, env, ask, str(env.setting.release))
    return replace(env, digests={name: about["digest"] for name, about in found.items() if "digest" in about})


def pinned_notes(env: Environment) -> Iterator[str]:
    """Services that went back to a release whose configuration is not that of this checkout."""
    env = reached(env)
    own = replace(env, kept={name: value for name, value in env.kept.items() if name.startswith("release ")})
    for name, service in env.catalogue.services.items():
        now = released(env, name)
        planned = config.config_map(own, service, graph.namespace(env.catalogue, service))
        if not (now.pinned and now.config) or key(planned)[2] == now.config:
            continue
        if record.held_key(now.config) in env.kept:
            yield f"{name} keeps the configuration of its release {now.release} until it is released again"
        else:
            yield f"{name}: {now.config}, the configuration of its release, is gone; it gets that of this checkout"


def leftovers(cluster: Cluster, env: Environment, there: Sequence[Object], objects: Sequence[Object]) -> list[Object]:
    """Our objects there that are no longer rendered, without namespaces, and without what a rollback needs."""
    wanted = {key(each) for each in objects}
    wanted |= {("ConfigMap", place, record.named(name)) for kind, place, name in wanted if kind == "Deployment"}
    services = env.catalogue.services
    sets = [each for each in cluster.items(["replicasets.apps"]) if each["metadata"]["labels"].get(NAME) in services]
    needed = {name for each in sets for name in record.configs(each)}
    own = {record_key(name) for name in services} & env.kept.keys()
    recorded = recorded_configs(replace(env, kept={name: env.kept[name] for name in own}))
    return [
        each
        for each in there
        if key(each) not in wanted
        and key(each)[1:] not in needed
        and key(each)[2] not in recorded
        and not each["metadata"].get("ownerReferences")  # its owner removes it
    ]
