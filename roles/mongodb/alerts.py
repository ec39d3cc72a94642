"""Alerts about MongoDB.

Debian's exporter, of 2018, cannot log in to a server that admits SCRAM-SHA-256 only. So only the unit is watched.
"""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert


def alerts(env: Environment) -> Iterator[Alert]:
    """A server that does not run."""
    yield Alert(
        "MongodbDown",
        'node_systemd_unit_state{name="mongod.service",state="active"}',
        "{{ $labels.host }}: MongoDB does not run",
        "journalctl -u mongod there; deploys/data.py",
    )
