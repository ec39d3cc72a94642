"""Settings and constants of the lab. A setting of the same name in group_data/all.py or group_data/ENVIRONMENT.py
overrides a default; NEXUS_LAB_DIRECTORY can also name the directory, since it belongs to the machine more than
to the project."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

# Directory of roots, overlays and the base system, on a real file system, not an overlay.
lab_directory: str = "/var/lib/nexus-cos-lab"

# Debian mirrors, used only if the machine has no Debian sources, such as on Ubuntu; if empty, Debian's own servers.
lab_debian_mirror: str = ""
lab_debian_security_mirror: str = ""  # the same for security updates

# Time after which a host that does not answer is started once more, then reported.
lab_start_seconds: int = 120

SUITE = "trixie"
USER = "deploy"
NETWORK = IPv4Network("10.213.0.0/24")
GATEWAY = NETWORK[1]
NETWORK6 = IPv6Network("fd6e:6578:7573::/64")  # unique local addresses, with the host's number of NETWORK
GATEWAY6 = NETWORK6[1]
BRIDGE = "nexuslab0"
NFT_TABLE = "nexus_lab"

DISK_BYTES_MIN = 8 * 2**30
MEMORY_BYTES_MIN = 6 * 10**9

# To the kernel, root of all hosts is one user: about 15 hosts use up the usual limit of 128.
INOTIFY_INSTANCES = 8192


def address6(address: str) -> IPv6Address:
    """The second address of a host, by its first one."""
    return NETWORK6[int(IPv4Address(address)) - int(NETWORK.network_address)]
