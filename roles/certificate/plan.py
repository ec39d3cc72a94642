"""The CA and the leaf certificate of one host."""

from __future__ import annotations

from ipaddress import IPv4Network

from roles.kit.environment import Environment, Host
from roles.kit.model import Desired, Directory, File, Group

DIRECTORY = "/etc/nexus-cos/tls"
CA, LEAF, KEY = f"{DIRECTORY}/ca.pem", f"{DIRECTORY}/leaf.pem", f"{DIRECTORY}/leaf.key"
KEY_GROUP = "nexus-tls"


def names(env: Environment, host: Host) -> list[str]:
    """Names and addresses under which this host is asked, its own name first."""
    found = [host.name, host.address, "localhost", "127.0.0.1"]
    if "edge" in host.groups:
        found += [env.setting.domain, f"api.{env.setting.domain}", f"*.{env.setting.domain}"]
    # A host as its containers see it; and, passed on there, every store.
    if host.groups & {"app", "edge", "ops", "redis", "rabbitmq"}:
        found.append(str(IPv4Network(env.setting.swarm_gateway_network)[1]))
    return found + list(host.setting.certificate_names)


def plan(env: Environment, host: Host) -> Desired:
    """Public parts for everybody on the host, the key for root and the daemons in its group."""
    leaf = env.tls.leaf(names(env, host))
    return Desired(
        groups=(Group(KEY_GROUP),),
        directories=(Directory("/etc/nexus-cos"), Directory(DIRECTORY)),
        files=(
            File(CA, env.tls.certificate),
            File(LEAF, leaf.certificate),
            File(KEY, leaf.key, group=KEY_GROUP, mode=0o640, secret=True),
        ),
    )
