"""Services in a cluster of Kubernetes, as releases and rollbacks see them.

A new release is judged by its rollout: every pod is ready for release_min_ready_seconds. Requests are not judged, since
the cluster's edge is not ours and shows none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyinfra import logger

from nexus import console
from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.side_by_side import reached
from roles.service.released import Released
from runbooks.kubernetes import autoscaling, config, graph, migration, record, rollout
from runbooks.kubernetes.deploy import environment
from runbooks.kubernetes.item import NAME, VERSION, Object, key
from runbooks.kubernetes.kubectl import HANDOVER, KINDS, Cluster
from runbooks.kubernetes.render import reached as cluster_view
from runbooks.kubernetes.report import checked
from runbooks.release.engine import Engine, History
from runbooks.release.migration import restore_point
from runbooks.release.plan import Step, at, rollback_order
from runbooks.release.record import Running
from runbooks.release.session import Session

TAGGED = {"digest": ""}  # an image that is named by its tag
LOG_LINES = 12


class ClusterEngine(Engine):
    """The cluster that kubernetes_context names."""

    converge = "deploys/kubernetes.py"

    def __init__(self, run: Run) -> None:
        self.run, self.cluster = run, Cluster(run.environment)
        self.where, self.host = self.cluster.context, reached(run)[0]
        self.there = self.cluster.items(KINDS)
        self.env = environment(run, self.there)

    def running(self, names: Sequence[str]) -> dict[str, Running]:
        """Image and configuration of Deployments."""
        found = self.cluster.deployments()
        if missing := [name for name in names if name not in found]:
            raise OperatorError(
                f"{', '.join(missing)}: not in {self.where} yet; deploy a new service with {self.converge} first"
            )
        return {name: _running(found[name]) for name in names}

    def history(self, names: Sequence[str]) -> History:
        """With the release of the newest ReplicaSet that runs another one than the Deployment."""
        sets, found = self.cluster.items(["replicasets.apps"]), self.running(names)
        sets.sort(key=lambda each: int((each["metadata"].get("annotations") or {}).get(rollout.REVISION, 0)))
        before = dict[str, Released | None](dict.fromkeys(names))
        for each in sets:
            name, old = each["metadata"]["labels"].get(NAME), _running(each)
            if name in found and old != found[name]:
                before[name] = old.released()
        return History(found, before, [name.removeprefix(record.held_key("")) for name in self.env.kept])

    def config_name(self, name: str, to: Released) -> str:
        """The name of the ConfigMap."""
        env = cluster_view(at(self.env, {name: to}))
        service = env.catalogue.service(name)
        return key(config.config_map(env, service, graph.namespace(env.catalogue, service)))[2]

    def keep(self, values: Mapping[str, Any]) -> None:
        """Write the records of services into the cluster."""
        self.cluster.apply([record.record(self.env, name.removeprefix("release "), values[name]) for name in values])
        self.env = replace(self.env, kept={**self.env.kept, **values})  # the run holds the lock: nobody else writes

    def digests(self, names: Sequence[str], release: str) -> dict[str, dict[str, Any]]:
        """Those of kubernetes_digests, then those that the registry has.

        Where no registry is reached, images are named by their tags if kubernetes_tags accepts that.
        """
        setting = self.env.setting
        named = {name: {"digest": digest} for name, digest in setting.kubernetes_digests.items() if name in names}
        rest = [name for name in names if name not in named]
        if not rest:
            return named
        try:
            return named | super().digests(rest, release)
        except OperatorError:
            if not setting.kubernetes_tags:
                raise
            return named | dict.fromkeys(rest, TAGGED)

    def objects(self, targets: Mapping[str, Released]) -> list[Object]:
        """All objects of these services at these releases, in the order of `targets`; OperatorError for a mistake."""
        whole = checked(at(self.env, targets), applied=True).everything
        own = {name: [each for each in whole if each["metadata"]["labels"].get(NAME) == name] for name in targets}
        return [each for name in targets for each in own[name]]

    def bring(self, what: str, targets: Mapping[str, Released], in_order: bool = False) -> bool:
        """Apply the objects of these services and wait for the rollouts; whether all got through."""
        names = rollback_order(self.env, list(targets)) if in_order else list(targets)
        try:
            self.roll_out({name: targets[name] for name in names})
        except OperatorError as error:
            console.complain(f"    {what}: {error}")
            return False
        return True

    def roll_out(self, targets: Mapping[str, Released]) -> None:
        """The same; OperatorError with the reasons of those that did not get through."""
        objects = [each for each in self.objects(targets) if each["kind"] != "Job"]
        last = [each for each in objects if each["kind"] in autoscaling.WORKLOADS]
        self.cluster.apply([each for each in objects if each not in last])
        self.cluster.apply(autoscaling.handed_over(self.there, last), HANDOVER)
        self.cluster.apply(last)
        rollout.wait(self.cluster, autoscaling.least(objects), False)

    def settle(self) -> None:
        """Nothing: every later run renders what was applied."""

    def failures(self, names: Sequence[str]) -> dict[str, str]:
        """None: functional checks go through edge hosts, and services of a cluster are not behind them."""
        return {}


class ClusterSession(Session):
    """One run of deploys/release.py for services in a cluster."""

    def __init__(self, engine: ClusterEngine, release: str, canary: int = 0) -> None:
        super().__init__(engine, release)
        self.cluster_engine = engine
        if canary:
            raise OperatorError(
                f"canary={canary}: in {engine.where} this project gives no release a share of the traffic, because the "
                "cluster's edge shows it no requests to judge it by. Leave canary out: pods are replaced one after the "
                "other, new ones first, and the old ones serve until the new ones are ready"
            )

    def roll(self, steps: Sequence[Step]) -> dict[str, str]:
        """Replace the pods; a service whose rollout does not end goes back."""
        cluster = self.cluster_engine.cluster
        try:
            self.cluster_engine.roll_out({step.name: step.after for step in steps})
        except OperatorError as error:
            found = cluster.deployments()
            stuck = [step.name for step in steps if step.name in found and not rollout.done(found[step.name])]
            if not stuck:
                raise
            logger.debug(str(error))
            return {name: f"it is not rolled out: {rollout.reason(cluster, found[name])}" for name in stuck}
        return {}

    def remove_canaries(self, steps: Sequence[Step]) -> None:
        """Nothing: there are none."""

    def migrate(self, step: Step) -> str:
        """Run the migration as a Job, after everything that it needs is there."""
        engine = self.cluster_engine
        objects = engine.objects({step.name: step.after})
        jobs = [each for each in objects if each["kind"] == "Job"]
        point = restore_point(engine.run, engine.env, step)
        serving = ("Job", *autoscaling.WORKLOADS)
        engine.cluster.apply([each for each in objects if each["kind"] not in serving])
        for job in migration.missing(engine.cluster, jobs):
            migration.carry_out(engine.cluster, job)
        return point

    def tell_logs(self, step: Step) -> None:
        """Show the last log lines of the pods of the new release."""
        engine = self.cluster_engine
        place = graph.namespace(engine.env.catalogue, engine.env.catalogue.service(step.name))
        chosen = f"{NAME}={step.name},{VERSION}={step.after.release}"
        words = ("logs", "-n", place, "-l", chosen, f"--tail={LOG_LINES}", "--ignore-errors")
        for line in engine.cluster.run(*words, accepted=(0, 1)).splitlines()[-LOG_LINES:]:
            logger.error(f"      | {line}")


def _running(found: Object) -> Running:
    image = found["spec"]["template"]["spec"]["containers"][0]["image"]
    return Running(image, record.runs(found).config)
