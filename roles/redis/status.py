"""Where both servers show their certificates; the role sentinel has their rows."""

from nexus.environment.environment import Environment, Host
from roles.certificate.door import Door, door


def doors(env: Environment, host: Host) -> list[Door]:
    """Both instances."""
    if "redis" not in host.groups:
        return []
    return [door(host, "redis", host.setting.redis_port), door(host, "redis cache", host.setting.redis_cache_port)]
