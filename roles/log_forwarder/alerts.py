"""Alerts about log lines: those that do not arrive, and what services say in them."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert

ERRORS = 'nexus_log_lines_total{level=~"error|fatal"}'
LEAST = 0.05  # errors a second: with fewer in the past, they are compared with this


def alerts(env: Environment) -> Iterator[Alert]:
    """A host whose lines wait or are lost, and a service with more errors than before."""
    yield Alert(
        "LogsBehind",
        "nexus_log_forwarder_behind_seconds",
        "{{ $labels.host }}: its log lines have waited for {{ $value | humanizeDuration }}, the limit is "
        "{threshold} s; they are in the host's own journal",
        "journalctl -u nexus-log-forwarder there and -u systemd-journal-remote on the log store; deploys/monitoring.py",
    )
    yield Alert(
        "LogLinesLost",
        "increase(nexus_log_forwarder_lost_lines_total[15m])",
        "{{ $labels.host }}: {{ $value | humanize }} log lines were lost in 15 minutes, the limit is {threshold}: "
        "its journal was full before they were sent",
        "journalctl -u nexus-log-forwarder there; a larger base_journal_bytes_max keeps more of them",
    )
    now = f"sum by (service) (rate({ERRORS}[10m]))"
    past = f"clamp_min(sum by (service) (rate({ERRORS}[1d] offset 1h)), {LEAST})"
    yield Alert(
        "ServiceErrorsRising",
        f"{now} / ({past} or {now} * 0 + {LEAST})",
        "{{ $labels.service }}: it logs {{ $value | humanize }} times as many errors as in the last day, "
        "the limit is {threshold} times",
        "deploys/logs.py --data service={{ $labels.service }} --data grep=error; deploys/rollback.py after a release",
    )
