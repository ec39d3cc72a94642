"""Settings of the base role."""

base_user: str = "deploy"  # user that runs log in as, unless an operator has an account; root cannot log in
# People with accounts of their own and sudo, by name, with the public keys that log in:
# {"alice": ["ssh-ed25519 AAAA... alice@desk"]}. Anyone who is no longer named here is locked out by the next run
base_operators: dict[str, list[str]] = {}
base_timezone: str = "Etc/UTC"  # time zone of hosts, a name below /usr/share/zoneinfo
base_chrony: bool = True  # whether hosts run chrony; off where they share the kernel's clock, as in the lab
# Packages of every host.
base_packages: list[str] = ["ca-certificates", "curl", "iproute2", "procps", "sudo"]
base_journal_bytes_max: str = "500M"  # the largest size of a host's journal, in journald's words
# Kernel settings of every host.
base_sysctl: dict[str, int] = {
    "net.core.somaxconn": 4096,  # must be at least Redis's backlog of 511 (operations.yaml: tuning.kernel)
    "vm.overcommit_memory": 1,  # Redis forks to save; without this a full host refuses the fork
    "net.ipv4.ip_local_reserved_ports": 0,
}
