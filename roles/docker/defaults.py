"""Settings of the Docker engine, with their defaults."""

docker_bridge_address: str = "10.218.0.1/24"  # address of docker0, outside the hosts' and the overlay's ranges
docker_address_pools: list[dict[str, object]] = [{"base": "10.217.0.0/16", "size": 24}]  # ranges for local networks
docker_data_root: str = "/var/lib/docker"  # where Docker keeps images, containers and volumes
docker_mtu: int = 0  # MTU of containers; 0: that of the host's uplink
docker_log_max_mebibytes: int = 10  # size limit of each log file of a container
docker_log_files: int = 3  # log files of each container
docker_stop_seconds: int = 30  # how long a stopping engine waits for its containers

docker_prune_schedule: str = "*-*-* 03:30:00"  # systemd calendar expression
docker_prune_unused_days: int = 7  # days without a container that uses it after which an image is removed
docker_prune_keep_releases: int = 5  # how many last used images of each repository are kept even if unused
