"""Settings of the Docker engine, with their defaults."""

docker_bridge_address: str = "10.218.0.1/24"  # docker0: away from the hosts' and the overlay's ranges
docker_address_pools: list[dict[str, object]] = [{"base": "10.217.0.0/16", "size": 24}]  # local networks
docker_data_root: str = "/var/lib/docker"
docker_mtu: int = 0  # 0: that of the host's uplink
docker_log_max_mebibytes: int = 10  # per file and container
docker_log_files: int = 3
docker_stop_seconds: int = 30  # what a stopping engine leaves its containers

docker_prune_schedule: str = "*-*-* 03:30:00"  # systemd calendar expression
docker_prune_unused_days: int = 7  # an image goes when no container used it for so long ...
docker_prune_keep_releases: int = 5  # ... and it is not among the last used of its repository
