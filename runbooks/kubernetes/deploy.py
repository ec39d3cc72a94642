"""Apply the catalogue to a cluster, release services there, and roll them back: deploys/kubernetes.py.

The release of a service belongs to the cluster: a service that runs keeps its image, unless this run releases it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from nexus import console
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.run.host_state import executing
from nexus.run.run import Run
from nexus.run.runbook import Act, act
from roles.registry.plan import registry_host
from roles.service.released import Released
from roles.service.released import key as record_key
from runbooks.kubernetes import capacity, migration, rollout, tree
from runbooks.kubernetes.item import VERSION, Object, key
from runbooks.kubernetes.kubectl import KINDS, Cluster, deployments_of
from runbooks.kubernetes.render import render
from runbooks.kubernetes.report import checked, notes
from runbooks.release.context import IMAGES

MOST_LINES = 400  # of a diff on the screen


def apply(services: Sequence[str] = (), back: Sequence[str] = ()) -> None:
    """Apply everything; `services` get the release that the setting `release` names, `back` their earlier one."""
    if services and back:
        raise OperatorError("services and rollback cannot be combined: start two runs")
    act("Kubernetes", partial(_roll_back, names=back) if back else partial(plan, services=services))


def plan(run: Run, services: Sequence[str]) -> Sequence[Act]:
    """The acts that make the cluster as planned; none if it is."""
    cluster = Cluster(run.environment)
    there = cluster.items(KINDS)
    running = deployments_of(there)
    env = environment(run, running, services)
    rendered = checked(env, applied=True)
    objects = rendered.everything
    cluster.refuse(objects)
    tree.write(tree.directory(), render(env))
    gone = leftovers(cluster, there, objects)
    jobs = migration.missing(cluster, objects)
    rest = [each for each in objects if each["kind"] != "Job"]
    difference = cluster.diff(rest)
    if not executing():
        for line in (*notes(env), *capacity.lines(env), *difference.splitlines()[:MOST_LINES]):
            console.say(f"    {line}")
    unfinished = [name for name in env.catalogue.services if name in running and not rollout.done(running[name])]
    if not (difference or gone or jobs or unfinished):
        return []
    first = [each for each in rest if each["kind"] == "Namespace"]
    last = [each for each in rest if each["kind"] in ("Deployment", "HorizontalPodAutoscaler")]
    between = [each for each in rest if each not in first and each not in last]
    names = list(env.catalogue.services)
    acts = [
        Act(f"Apply {len(first)} namespaces", partial(cluster.apply, first)),
        Act(f"Apply {len(between)} objects that pods need", partial(cluster.apply, between)),
        *(Act(f"Migrate: {key(each)[2]}", partial(migration.carry_out, cluster, each)) for each in jobs),
        Act(f"Apply {len(last)} Deployments and autoscalers", partial(cluster.apply, last)),
        Act("Wait for the rollouts", partial(rollout.wait, cluster, names, bool(env.setting.kubernetes_undo))),
    ]
    if gone:
        acts.append(Act(f"Delete {len(gone)} objects that are no longer planned", partial(cluster.delete, gone)))
    return acts


def environment(run: Run, running: Mapping[str, Object], services: Sequence[str]) -> Environment:
    """The environment with the releases that the cluster runs, and the digests of images that it does not run yet."""
    env = run.environment
    kept = {record_key(name): {"current": _running(each)} for name, each in running.items() if name not in services}
    env = replace(env.with_facts([], {}), kept=kept)
    wanted = [name for name in env.catalogue.services if record_key(name) not in kept]
    ask = [name for name in wanted if name not in env.setting.kubernetes_digests]
    host = registry_host(env)
    if not ask or host is None or not run.hosts.reaches(host.name):
        return env
    context = {"storage": env.setting.registry_directory, "release": str(env.setting.release)}
    answer = run.hosts.ask_source(host.name, IMAGES, ask, context)
    if missing := [name for name in services if name in ask and "digest" not in answer[name]]:
        raise OperatorError(
            f"the registry has no complete image of {', '.join(missing)} at release {env.setting.release}: "
            "build it first, with deploys/container.py and the same release"
        )
    return replace(env, digests={name: about["digest"] for name, about in answer.items() if "digest" in about})


def _running(found: Object) -> dict[str, Any]:
    """The release of a Deployment, from its pod template, which a rollback changes too."""
    template = found["spec"]["template"]
    digest = template["spec"]["containers"][0]["image"].partition("@")[2]
    return Released(template["metadata"]["labels"].get(VERSION, ""), digest).value()


def leftovers(cluster: Cluster, there: Sequence[Object], objects: Sequence[Object]) -> list[Object]:
    """Our objects there that are no longer rendered, without namespaces and configurations that a rollback needs."""
    wanted = {key(each) for each in objects}
    needed = {name for each in cluster.items(["replicasets.apps"]) for name in _configs(each)}
    return [
        each
        for each in there
        if key(each) not in wanted
        and key(each)[1:] not in needed
        and not each["metadata"].get("ownerReferences")  # its owner removes it
    ]


def _configs(found: Object) -> list[tuple[str, str]]:
    """(namespace, name) of the ConfigMaps that pods of a ReplicaSet mount."""
    volumes = found["spec"]["template"]["spec"].get("volumes") or ()
    parts = [part for volume in volumes for part in (volume.get("projected") or {}).get("sources") or ()]
    return [(key(found)[1], part["configMap"]["name"]) for part in parts if "configMap" in part]


def _roll_back(run: Run, names: Sequence[str]) -> Sequence[Act]:
    cluster = Cluster(run.environment)
    running = cluster.deployments()
    if missing := [name for name in names if name not in running]:
        raise OperatorError(f"{', '.join(missing)}: not in {cluster.context}, so there is nothing to roll back")
    acts = [Act(f"Roll {name} back", partial(rollout.undo, cluster, running[name])) for name in names]
    return [*acts, Act("Wait for the rollouts", partial(rollout.wait, cluster, names, False))]
