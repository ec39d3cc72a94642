"""Migrations of services as Jobs, each once, before the Deployment of its release."""

import json
import time
from collections.abc import Sequence

import gevent

from nexus.error import OperatorError
from runbooks.kubernetes.item import Object, key
from runbooks.kubernetes.kubectl import Cluster

POLL_SECONDS = 2
SPARE_SECONDS = 30  # after the Job's own deadline
MOST_LINES = 20  # of a failed migration's log


def missing(cluster: Cluster, objects: Sequence[Object]) -> list[Object]:
    """Migrations that have not succeeded in this cluster."""
    ended = {key(each) for each in cluster.items(["jobs.batch"]) if _condition(each, "Complete")}
    return [each for each in objects if each["kind"] == "Job" and key(each) not in ended]


def carry_out(cluster: Cluster, job: Object) -> None:
    """Run the Job, and wait for its end; OperatorError with its last lines if it fails."""
    _, namespace, name = key(job)
    cluster.run("delete", "job", name, "-n", namespace, "--ignore-not-found", "--wait=true")  # an attempt that failed
    cluster.apply([job])
    end = time.monotonic() + job["spec"]["activeDeadlineSeconds"] + SPARE_SECONDS
    while True:
        found = json.loads(cluster.run("get", "job", name, "-n", namespace, "-o", "json"))
        if _condition(found, "Complete"):
            return
        if _condition(found, "Failed") or time.monotonic() > end:
            lines = cluster.run("logs", f"job/{name}", "-n", namespace, f"--tail={MOST_LINES}", accepted=(0, 1))
            raise OperatorError(
                f"the migration {name} failed, and its service was not released; fix it, and rerun:\n{lines}"
            )
        gevent.sleep(POLL_SECONDS)


def _condition(job: Object, kind: str) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == kind and each.get("status") == "True" for each in conditions)
