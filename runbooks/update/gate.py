"""Whether an update may begin, and whether all is in service again: judged from rows of the status. Pure functions."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from nexus.error import OperatorError
from nexus.run.row import Answers, Row, told
from roles.alertmanager.receivers import WATCHDOG

ALERTS, BACKUP = "alerts", "backup"  # areas of the status
LATER = (ALERTS, BACKUP)  # areas that say nothing about whether daemons are in service
RESTORE = "restore"  # its age says nothing about how fresh backups are
CRITICAL = "critical"
ENDED_BY_UPDATE = ("RebootRequired", "SecurityUpdatesPending", "PackageListsOld")  # alerts


def blocking(rows: Iterable[Row], answers: Answers) -> list[str]:
    """Why an update must not begin: missed targets, backups that are too old, critical alerts."""
    missed = [row for row in rows if row.missed]
    found = [_said(row) for row in missed if row.area not in LATER]
    found += [_said(row) for row in missed if row.area == BACKUP and row.what != RESTORE]
    found += [_said(row) for row in missed if row.area == ALERTS and (row.what == WATCHDOG or not row.target)]
    known = {
        tuple(sorted(one["labels"].items())): one
        for answer in told(answers, ALERTS, answers).values()
        for one in answer["alerts"]
    }
    for one in known.values():
        labels = one["labels"]
        if labels.get("severity") == CRITICAL and labels["alertname"] not in ENDED_BY_UPDATE:
            found.append(f"alert {labels['alertname']}: {one['annotations'].get('summary', '')}")
    return found


def out_of_service(rows: Iterable[Row]) -> dict[tuple[str, str], str]:
    """{(area, what): what is wrong} of daemons and hosts."""
    return {(row.area, row.what): _said(row) for row in rows if row.missed and row.area not in LATER}


def outside(window: str, now: datetime) -> list[str]:
    """Why updates may not begin at this time; `window` is "22-4", hours of UTC, or empty. OperatorError if neither."""
    if not window:
        return []
    hours = window.split("-")
    if len(hours) != 2 or not all(word.isdigit() and int(word) < 24 for word in hours):
        raise OperatorError(f'update_window="{window}": write two hours of UTC, such as "22-4"')
    begin, end = map(int, hours)
    within = begin <= now.hour < end if begin < end else now.hour >= begin or now.hour < end
    if within:
        return []
    return [
        f"it is {now:%H:%M} UTC, and updates of this environment begin from {begin:02d}:00 to {end:02d}:00 UTC "
        '(update_window). To update now: --data update_window=""'
    ]


def refusal(reasons: Sequence[str]) -> str:
    """The text of a refusal."""
    return "\n".join(["no host was updated:", *reasons])


def _said(row: Row) -> str:
    return f"{row.area} {row.what}: {row.value}. {row.advice}"
