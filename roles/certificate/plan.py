"""The CA and the leaf certificate of one host, the leaves that follow it, and the timer that puts them in place."""

from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, Group, Unit
from nexus.plan.sent import program
from roles.certificate.host import public
from roles.certificate.prepared import Pair, state

DIRECTORY = "/etc/nexus-cos/tls"
CA, LEAF, KEY = f"{DIRECTORY}/ca.pem", f"{DIRECTORY}/leaf.pem", f"{DIRECTORY}/leaf.key"
KEY_GROUP = "nexus-tls"

LIBRARY = "/usr/local/lib/nexus-cos/certificate"
SWITCH = "roles.certificate.host.switch"  # the module that the unit runs
UNIT = "nexus-certificate"
STARTS = 10  # how often the program starts in a period; it starts at least once an hour
HOUR_SECONDS = 3600

# etcd trusts its own authority: a host with one of its leaves can decide which host is primary, so only data hosts
# have one. A host that leaves the cluster needs its leaf until it has left.
ETCD_GROUPS = {"etcd", "postgresql", "data"}
ETCD_DIRECTORY = "/etc/nexus-cos/etcd"
ETCD_CA, ETCD_LEAF, ETCD_KEY = (f"{ETCD_DIRECTORY}/{name}" for name in ("ca.pem", "leaf.pem", "leaf.key"))
ETCD_KEY_GROUP = "nexus-etcd"


def names(env: Environment, host: Host) -> list[str]:
    """Names and addresses under which clients reach this host, its own name first."""
    found = [host.name, host.address, "localhost", "127.0.0.1"]
    if "edge" in host.groups:
        found += [env.setting.domain, f"api.{env.setting.domain}", f"*.{env.setting.domain}"]
    if host.groups & {"app", "edge", "ops", "postgresql", "redis", "rabbitmq"}:
        # the address of the host, and of the proxy to the stores, as containers see them
        found.append(env.gateway)
    return found + list(host.setting.certificate_names)


def interval_seconds(env: Environment) -> int:
    """Time between two starts of the program on a host; the timer adds up to as much again at random."""
    return min(HOUR_SECONDS, int(env.setting.certificate_period_seconds) // STARTS)


def plan(env: Environment, host: Host) -> Desired:
    """Public parts for all users of the host, keys for root and the daemons in their groups.

    Only the present leaf is planned as files: the program on the host replaces it as a run would.
    """
    pairs = [Pair(LEAF, KEY, KEY_GROUP, env.tls, tuple(names(env, host)))]
    authorities = [File(CA, env.tls.certificate)]
    directories: tuple[Directory, ...] = (Directory("/etc/nexus-cos"), Directory(DIRECTORY))
    if host.groups & ETCD_GROUPS:
        authority = env.authority("etcd", f"{env.name} etcd")
        own = (host.name, host.address, "localhost", "127.0.0.1")
        pairs.append(Pair(ETCD_LEAF, ETCD_KEY, ETCD_KEY_GROUP, authority, own))
        authorities.append(File(ETCD_CA, authority.certificate))
        directories = (*directories, Directory(ETCD_DIRECTORY))
    return Desired(
        packages=("python3",),
        groups=tuple(Group(pair.group) for pair in pairs),
        directories=directories,
        files=(*authorities, *(file for pair in pairs for file in _leaf(pair)), *_program(env)),
        units=(Unit(f"{UNIT}.timer"), Unit(f"{UNIT}.service", running=False)),
        states=(state(env, pairs, _others(host)),),
    )


def _others(host: Host) -> list[str]:
    """Files of a certificate that others renew, such as an ACME client: daemons load a new one as they load ours."""
    return [path for path in clients_pair(host) if "edge" in host.groups and path not in (LEAF, KEY)]


def automatic(host: Host) -> bool:
    """Whether role acme renews the certificate that Nginx shows to clients."""
    return bool(host.setting.acme_directories)


def clients_pair(host: Host) -> tuple[str, str]:
    """The certificate and key that Nginx shows to clients on an edge host."""
    if automatic(host):
        return public.CERTIFICATE, public.KEY
    return str(host.setting.nginx_certificate), str(host.setting.nginx_certificate_key)


def shows_own(host: Host) -> bool:
    """Whether that is of the environment's own authority; otherwise clients trust it by their system's CAs."""
    return clients_pair(host)[0] == LEAF


def edge_place(edge: Host, name: str) -> dict[str, Any]:
    """Where an edge host asks its own Nginx for a name, and the CA of the answer; no CA: those of its system."""
    ca = CA if shows_own(edge) else ""
    return {"address": "127.0.0.1", "port": int(edge.setting.nginx_https_port), "name": name, "ca": ca}


def _leaf(pair: Pair) -> tuple[File, File]:
    leaf = pair.authority.leaf(pair.names)
    return (
        File(pair.certificate, leaf.certificate),
        File(pair.key, leaf.key, group=pair.group, mode=0o640, secret=True),
    )


def _program(env: Environment) -> list[File]:
    """The program that puts the leaf of the current period in place: by a timer, and at boot before the daemons."""
    return [
        *(File(f"{LIBRARY}/{path}", text) for path, text in program([SWITCH]).items()),
        File(f"/etc/systemd/system/{UNIT}.service", env.render("certificate/service.j2", library=LIBRARY)),
        File(f"/etc/systemd/system/{UNIT}.timer", env.render("certificate/timer.j2", seconds=interval_seconds(env))),
    ]
