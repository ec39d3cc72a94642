"""RabbitMQ behind HAProxy: connections are spread over the nodes that take any.

A node that a partition has paused closes its port, so a TLS connection is all that a check has to ask.
TLS is passed through: clients verify the node's own certificate, which holds the proxy's address.
"""

from __future__ import annotations

from roles.certificate.plan import CA
from roles.kit.environment import Environment


def sections(env: Environment) -> list[tuple[str, int, str]]:
    """(name, port, text), the text for below the proxy's own `listen NAME` and `bind ADDRESS:PORT` lines."""
    hosts = env.group("rabbitmq")
    if not hosts:
        return []
    return [
        ("rabbitmq", int(env.setting.rabbitmq_port), env.render("rabbitmq/proxy.cfg.j2", hosts=hosts, ca=CA))
    ]
