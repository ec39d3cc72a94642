"""Settings of the base role."""

base_user: str = "deploy"  # log-in of operators and of this project; root cannot log in
base_timezone: str = "Etc/UTC"
base_chrony: bool = True  # off where hosts share the kernel's clock, as in the lab
base_packages: list[str] = ["ca-certificates", "curl", "iproute2", "procps", "prometheus-node-exporter", "sudo"]
base_journal_bytes_max: str = "500M"
base_sysctl: dict[str, int] = {
    "net.core.somaxconn": 4096,  # at least Redis's backlog of 511 (operations.yaml: tuning.kernel)
    "vm.overcommit_memory": 1,  # Redis forks to save; without it a full host refuses the fork
    "net.ipv4.ip_local_reserved_ports": 0,
}
base_apt_timers: bool = False  # packages change in runs, not by themselves at night
