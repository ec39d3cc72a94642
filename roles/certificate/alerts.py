"""Alerts about certificates that were not renewed, while there is time to do it."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert

DAY_SECONDS = 86400


def alerts(env: Environment) -> Iterator[Alert]:
    """By the share of its life that is left: a host renews its certificate with two thirds left."""
    leaf = '{path!~".*/ca.pem"}'  # an authority ends with the leaves that are prepared
    yield Alert(
        "CertificateEnds",
        f"(nexus_certificate_ends_seconds{leaf} - time()) "
        f"/ (nexus_certificate_ends_seconds{leaf} - nexus_certificate_begins_seconds{leaf})",
        "{{ $labels.host }}: {{ $value | humanizePercentage }} of the life of {{ $labels.path }} is left, "
        "the limit is a share of {threshold}",
        "journalctl -u nexus-certificate there, then deploys/base.py; who renews a public certificate",
    )
    yield Alert(
        "PreparedCertificatesEnd",
        f"(nexus_certificate_prepared_until_seconds - time()) / {DAY_SECONDS}",
        "{{ $labels.host }}: certificates are prepared for {{ $value | humanize }} days, the limit is {threshold}",
        "deploys/base.py",
    )
