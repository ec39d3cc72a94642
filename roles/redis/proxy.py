"""Redis behind HAProxy: connections go to the one server that is primary, by its own word and the Sentinels'.

Two hosts that are cut off from each other may both say master. So a server is up only if it answers ROLE
with master, to a user that can do nothing else, and a majority of the Sentinels names its address.
HAProxy counts the Sentinels itself: each server has a small backend, whose members are the Sentinels that
name it, and a frontend on loopback turns the count into an answer for the servers' check.
A server that is no longer up loses its connections too, so no client stays with a former primary.
In its first seconds, before any check, HAProxy takes every server to be up: a connection to a replica is
read-only and ends with the first check. A reload should keep the servers' state (server-state-file).
TLS is passed through: clients verify the server's own certificate, which includes the proxy's address.
"""

from nexus.environment.environment import Environment
from nexus.environment.quorum import majority
from roles.certificate.plan import CA
from roles.proxy.section import Section
from roles.redis.instance import INSTANCES
from roles.redis.plan import own_passwords
from roles.redis.users import HEALTH


def sections(env: Environment) -> list[Section]:
    """A section for each instance; nothing where the environment has no Redis.

    Its text ends with further sections and contains the health check's password, so the file that it goes
    into is secret.
    """
    hosts = env.group("redis")
    if not hosts:
        return []
    return [
        Section(
            one.stem,
            one.proxy_port(env.setting),
            env.render(
                "redis/proxy.cfg.j2",
                one=one,
                port=one.port(env.setting),
                view_port=int(env.setting.redis_proxy_view_port) + number,
                master=one.master_name(env.catalogue),
                hosts=hosts,
                majority=majority(len(hosts)),
                user=HEALTH,
                password=own_passwords(env)[HEALTH],
                ca=CA,
            ),
        )
        for number, one in enumerate(INSTANCES)
    ]
