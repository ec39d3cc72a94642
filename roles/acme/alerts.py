"""Alerts about the public certificate, from what ops hosts know and what they see at every edge host."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert
from roles.acme.settings import enabled

LEFT = "max((nexus_acme_ends_seconds - time()) / (nexus_acme_ends_seconds - nexus_acme_begins_seconds))"
LOOK = "journalctl -u nexus-acme on an ops host; deploys/edge.py, once the reason is gone"


def alerts(env: Environment) -> Iterator[Alert]:
    """None without the role: nothing would write their series."""
    if not enabled(env):
        return
    yield Alert(
        "PublicCertificateLate",
        LEFT,
        "{{ $value | humanizePercentage }} of the life of the public certificate is left, and it should have been "
        "renewed: the limit is a share of {threshold}",
        LOOK,
    )
    yield Alert(
        "PublicCertificateEnds",
        LEFT,
        "{{ $value | humanizePercentage }} of the life of the public certificate is left: clients are about to refuse "
        "every edge host. The limit is a share of {threshold}",
        LOOK,
    )
    yield Alert(
        "PublicCertificateRenewalFails",
        "nexus_acme_failing_seconds",
        "{{ $labels.host }}: no authority has given a certificate that is due for {{ $value | humanizeDuration }}, the "
        "limit is {threshold} s",
        LOOK,
    )
    yield Alert(
        "PublicCertificateNotShown",
        "max by (edge) (nexus_acme_shown)",
        "{{ $labels.edge }}: it does not show the public certificate to clients",
        "deploys/edge.py; journalctl -u 'nexus-acme-edge@*' there",
    )
