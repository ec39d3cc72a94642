"""Metrics of certificates on a host: when each ends, and for how long others are prepared."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import Exporter, Textfile
from roles.certificate.plan import CA, ETCD_CA, ETCD_GROUPS, ETCD_LEAF, LEAF, automatic, interval_seconds

LEAST_SECONDS = 60


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """None: no daemon knows all certificates of its host."""
    return iter(())


def textfiles(env: Environment, host: Host) -> Iterator[Textfile]:
    """The host's certificates, and the public one where an operator renews it."""
    paths = [CA, LEAF, *((ETCD_CA, ETCD_LEAF) if host.groups & ETCD_GROUPS else ())]
    if "edge" in host.groups and not automatic(host):
        paths.append(str(host.setting.nginx_certificate))
    words = tuple(dict.fromkeys(paths))
    seconds = max(LEAST_SECONDS, interval_seconds(env))
    yield Textfile("certificate", "roles.certificate.host.metrics", seconds, words)
