"""The CA and the leaf certificate of one host."""

from __future__ import annotations

from roles.kit.authority import Authority, Leaf
from roles.kit.environment import Environment, Host
from roles.kit.model import Desired, Directory, File, Group

DIRECTORY = "/etc/nexus-cos/tls"
CA, LEAF, KEY = f"{DIRECTORY}/ca.pem", f"{DIRECTORY}/leaf.pem", f"{DIRECTORY}/leaf.key"
KEY_GROUP = "nexus-tls"

# etcd trusts an authority of its own: who has one of its leaves decides who is primary, and only data hosts do.
# One that is to leave the cluster needs its own until it has left.
ETCD_GROUPS = {"etcd", "postgresql", "data"}
ETCD_DIRECTORY = "/etc/nexus-cos/etcd"
ETCD_CA, ETCD_LEAF, ETCD_KEY = (f"{ETCD_DIRECTORY}/{name}" for name in ("ca.pem", "leaf.pem", "leaf.key"))
ETCD_KEY_GROUP = "nexus-etcd"


def names(env: Environment, host: Host) -> list[str]:
    """Names and addresses under which this host is asked, its own name first."""
    found = [host.name, host.address, "localhost", "127.0.0.1"]
    if "edge" in host.groups:
        found += [env.setting.domain, f"api.{env.setting.domain}", f"*.{env.setting.domain}"]
    if host.groups & {"app", "edge", "ops", "postgresql", "redis", "rabbitmq"}:
        # the host, seen from a container; and stores, which containers reach through a proxy at this address
        found.append(env.gateway)
    return found + list(host.setting.certificate_names)


def plan(env: Environment, host: Host) -> Desired:
    """Public parts for everybody on the host, keys for root and the daemons in their groups."""
    leaf = env.tls.leaf(names(env, host))
    files = _files((CA, LEAF, KEY), env.tls, leaf, KEY_GROUP)
    groups: tuple[Group, ...] = (Group(KEY_GROUP),)
    directories: tuple[Directory, ...] = (Directory("/etc/nexus-cos"), Directory(DIRECTORY))
    if host.groups & ETCD_GROUPS:
        authority = env.authority("etcd", f"{env.name} etcd")
        leaf = authority.leaf([host.name, host.address, "localhost", "127.0.0.1"])
        files += _files((ETCD_CA, ETCD_LEAF, ETCD_KEY), authority, leaf, ETCD_KEY_GROUP)
        groups, directories = (*groups, Group(ETCD_KEY_GROUP)), (*directories, Directory(ETCD_DIRECTORY))
    return Desired(groups=groups, directories=directories, files=files)


def _files(paths: tuple[str, str, str], authority: Authority, leaf: Leaf, group: str) -> tuple[File, ...]:
    ca, certificate, key = paths
    return (
        File(ca, authority.certificate),
        File(certificate, leaf.certificate),
        File(key, leaf.key, group=group, mode=0o640, secret=True),
    )
