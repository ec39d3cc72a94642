"""What the lab is made of where nothing else is said. A setting of the same name in group_data/all.py or
group_data/ENVIRONMENT.py wins; the directory can also be named by NEXUS_LAB_DIRECTORY, since it belongs
to the machine more than to the project."""

from ipaddress import IPv4Network

# Where roots, overlays and the base system live: a directory on a real filesystem, not an overlay.
lab_directory = "/var/lib/nexus-cos-lab"

# Asked only where the machine itself has no Debian sources, as on Ubuntu; empty asks Debian's own servers.
lab_debian_mirror = ""
lab_debian_security_mirror = ""

# A host that has not answered after this time is started once more, then reported.
lab_start_seconds = 120

SUITE = "trixie"
USER = "deploy"
NETWORK = IPv4Network("10.213.0.0/24")
GATEWAY = NETWORK[1]
BRIDGE = "nexuslab0"
NFT_TABLE = "nexus_lab"

DISK_BYTES_MIN = 8 * 2**30
MEMORY_BYTES_MIN = 6 * 10**9

# All guests' root is one user to the kernel: 128, the usual limit, is used up by about 15 hosts.
INOTIFY_INSTANCES = 8192
