"""The metrics of a host: processor, memory, disks, network, units, and files that other programs leave for it."""

from collections.abc import Iterator

from nexus.environment.environment import Environment, Host
from nexus.run.exporter import TEXTFILES, Exporter, Textfile

PORT = 9100
# The lab's hosts share a kernel; these say nothing or fail there, and nothing that others do not say elsewhere.
WITHOUT = ("thermal_zone", "powersupplyclass", "arp", "bcache", "btrfs", "infiniband", "nfs", "nfsd", "xfs", "zfs")


def exporters(env: Environment, host: Host) -> Iterator[Exporter]:
    """Node exporter, with the states of units."""
    arguments = (
        f"--web.listen-address=127.0.0.1:{PORT}",
        "--collector.systemd",
        f"--collector.textfile.directory={TEXTFILES}",
        *(["--collector.netdev.address-info"] if "edge" in host.groups and env.setting.keepalived_address else []),
        *(f"--no-collector.{name}" for name in WITHOUT),
    )
    yield Exporter("node", PORT, package="prometheus-node-exporter", arguments=arguments)


def textfiles(env: Environment, host: Host) -> Iterator[Textfile]:
    """Whether the host needs a reboot."""
    yield Textfile("host", "roles.base.host.metrics", 3600)
