"""Settings of the swarm, with their defaults."""

swarm_managers_max: int = 3  # app hosts that hold the swarm's state; an odd number
swarm_port: int = 2377  # cluster management; 7946 (gossip) and 4789/udp (overlay) are Docker's own
swarm_workers: list[str] = ["edge"]  # groups whose hosts join as workers
swarm_drained: list[str] = []  # hosts that keep no tasks, for maintenance
swarm_address_pool: str = "10.221.0.0/16"  # networks that Swarm makes by itself (ingress)
service_network: str = "10.220.0.0/20"  # overlay of the services: 113 replicas double while they roll
service_network_mtu: int = 0  # 0: the smallest uplink of its hosts less what VXLAN takes
swarm_wait_seconds: int = 60  # for a node to become active, or for managers to agree
# A node counts as lost after three of these, after six where the leader was lost with it; then its tasks
# start elsewhere. Docker's own 5 leaves them waiting for half a minute.
swarm_heartbeat_seconds: int = 3
