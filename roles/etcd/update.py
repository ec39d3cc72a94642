"""What leaves a host of etcd before it is updated: the leader.

etcd elects another leader by itself, but only after a timeout in which Patroni cannot renew its own leader's key.
"""

from functools import partial
from pathlib import Path

from nexus.run.role_questions import ask
from nexus.run.run import Run
from nexus.run.runbook import Act, carry_out
from roles.etcd.failover import STORE, TITLE
from roles.etcd.plan import TLS

__all__ = ["ALERTS", "STORE", "TITLE", "leaders", "move"]

ALERTS = ("EtcdMembersMissing",)
COMMAND = Path(__file__).parent / "host/command.py"


def leaders(run: Run) -> list[str]:
    """Return the host of the leader, as members that agree name it."""
    names = [host.name for host in run.environment.group("etcd") if run.hosts.reaches(host.name)]
    said = [ask(run, name, only=("etcd",))["etcd"] for name in names]
    return list(dict.fromkeys(one["leader"] for one in said if one.get("agrees") and one["leader"]))[:1]


def move(run: Run, host: str, to: str) -> list[Act]:
    """Return the act that lets another member lead; the leader itself is asked for it."""
    env = run.environment
    context = {"endpoint": f"{env.host(host).address}:{env.setting.etcd_client_port}", "tls": TLS, "to": to}
    do = partial(carry_out, run, host, f"let {to} lead etcd", COMMAND, "hand_over", context)
    return [Act(f"Let {to} lead etcd instead of {host}", do, host)]
