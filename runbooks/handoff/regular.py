"""How each regular check of operations.yaml is done: by a command, or by people, in words."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from nexus.error import OperatorError

STATUS, REPORT = "pyinfra inventory deploys/status.py", "pyinfra inventory deploys/report.py"
SECURITY = "pyinfra inventory deploys/security.py -y"
RESTORE, UPDATES = "pyinfra inventory deploys/restore_test.py -y", "pyinfra inventory deploys/update.py --dry"


@dataclass(frozen=True)
class Way:
    """The command that does a check, empty if it is done by people; and what to look at or to do."""

    command: str
    what: str


WAYS: Mapping[str, Way] = {
    "dashboards": Way(REPORT, "the plots of all dashboards"),
    "alert-response": Way(STATUS, "the area `alerts`: each alert with its remedy"),
    "open-incidents": Way("", "the list of your incidents; this project keeps none"),
    "api-latency": Way(REPORT, "the dashboard of services"),
    "database": Way(STATUS, "the area `postgresql`"),
    "disk-space": Way(STATUS, "the area `disk`"),
    "network": Way(REPORT, "the dashboard of the infrastructure"),
    "metrics-trends": Way("pyinfra inventory deploys/report.py --data hours=168", "the week's plots"),
    "security-updates": Way(UPDATES, "what waits, and for which host"),
    "capacity": Way("make catalogue", "what services ask for, and what hosts have"),
    "recovery-test": Way(RESTORE, "the last backups restore, and compare equal"),
    "docs": Way("make handoff", "these pages, from the hosts as they are; it fails where plan and hosts differ"),
    "old-logs-and-backups": Way(STATUS, "the areas `disk` and `backup`; both are removed by age"),
    "cost": Way("", "the bills of your providers; this project knows none"),
    "backup-restore-test": Way(RESTORE, "the last backups restore, and compare equal"),
    "full-audit": Way("pyinfra inventory deploys/history.py --data since=30d", "who changed what"),
    "vulnerability-scan": Way(SECURITY, "the check `security-scan`"),
    "performance": Way(REPORT, "against the targets of the performance runbook"),
    "recovery-drill": Way("pyinfra inventory deploys/failover.py -y", "a planned failover, which loses no write"),
    "certificates": Way(STATUS, "the area `certificates`"),
}


def ways(names: Iterable[str]) -> Iterator[tuple[str, Way]]:
    """(check, how it is done); OperatorError for a check that nothing here answers."""
    for name in names:
        if name not in WAYS:
            raise OperatorError(
                f"operations.yaml lists the check {name}, and no page says how it is done: add it to WAYS in "
                "runbooks/handoff/regular.py"
            )
        yield name, WAYS[name]
