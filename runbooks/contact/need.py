"""What the plan of an environment needs of each host before its first run."""

from collections import defaultdict

from nexus.environment.environment import Environment
from nexus.provider.ssh.refusal import Need
from nexus.run.flow import matrix
from roles.table import ROLES

NETWORKS = ("docker_bridge_address", "gateway_network", "service_network", "swarm_address_pool")


def needs(env: Environment) -> dict[str, Need]:
    """{host: what is needed of it}: ports of its roles, and ranges of addresses that nobody else uses."""
    ports: dict[str, dict[tuple[str, int], str]] = defaultdict(dict)
    for entry in matrix(env, ROLES):
        for name in entry.targets:
            ports[name].setdefault((entry.flow.protocol, entry.flow.port), entry.role)
    networks = {setting: str(env.setting[setting]) for setting in NETWORKS}
    pools = [str(pool["base"]) for pool in env.setting.docker_address_pools]
    networks |= {f"docker_address_pools[{number}]": base for number, base in enumerate(pools)}
    return {
        host.name: Need({place: role for place, role in ports[host.name].items() if role != "base"}, networks)
        for host in env.hosts
    }  # `base` has only SSH, which answers already
