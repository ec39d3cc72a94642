"""RabbitMQ behind HAProxy: connections are spread over the nodes that accept them.

A node that a partition has paused closes its port, so a TLS connection is a sufficient check.
TLS is passed through: clients verify the node's own certificate, which includes the proxy's address.
"""

from nexus.environment.environment import Environment
from roles.certificate.plan import CA
from roles.proxy.section import Section


def sections(env: Environment) -> list[Section]:
    """Section "rabbitmq"; nothing where the environment has no RabbitMQ."""
    hosts = env.group("rabbitmq")
    if not hosts:
        return []
    text = env.render("rabbitmq/proxy.cfg.j2", hosts=hosts, ca=CA)
    return [Section("rabbitmq", int(env.setting.rabbitmq_proxy_port), text)]
