"""Alerts about updates."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert

UPDATE = "pyinfra inventory deploys/update.py -y --data host={{ $labels.host }}"


def alerts(env: Environment) -> Iterator[Alert]:
    """Security updates that nobody installs, and lists that are too old to name any."""
    yield Alert(
        "SecurityUpdatesPending",
        'sum by (host) (nexus_pending_updates{security="true"})',
        "{{ $labels.host }}: {{ $value | humanize }} security updates have waited for two days, the limit is "
        "{threshold}",
        UPDATE,
    )
    yield Alert(
        "PackageListsOld",
        "(time() - nexus_package_lists_timestamp_seconds) {limit} and on (host) nexus_security_updates_enabled == 1",
        "{{ $labels.host }}: package lists were fetched {{ $value | humanizeDuration }} ago, the limit is "
        "{threshold} s; newer security updates are not known",
        "journalctl -u apt-daily there: name resolution, proxy, or a repository that is gone",
    )
