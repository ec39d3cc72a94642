"""What a host without data must know of the others before it may found a cluster."""

from typing import Any

from nexus.error import OperatorError
from nexus.run.run import Run
from roles.etcd.plan import SOURCE


def knowledge(run: Run, name: str) -> dict[str, Any]:
    """Context for a host that has no data yet: {"known_by": names of the other hosts that have some}.

    Nothing for a host with data, which says what the host is a member of. A host that this run does not reach
    might hold the cluster, so then no host may found another: OperatorError.
    """
    own = run.hosts.answer(name)["states"].get("etcd data", {}).get("items", {})
    if own.get("data", {}).get("usable"):
        return {}
    found = []
    for other in run.environment.group("etcd"):
        if other.name == name or other.name in run.left_out:
            continue
        if not run.hosts.reaches(other.name):
            raise OperatorError(
                f"{name} has no data of etcd, and this run does not reach {other.name}, which may know the cluster: "
                f"drop --limit, or continue without a dead host: --data without={other.name}"
            )
        answer = run.hosts.ask_source(other.name, SOURCE, ["data"], {"about": "knowledge"})
        if answer["data"]["there"]:
            found.append(other.name)
    return {"known_by": found}
