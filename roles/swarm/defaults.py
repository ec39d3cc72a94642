"""Settings of the swarm, with their defaults."""

swarm_managers_max: int = 3  # the most app hosts that hold the swarm's state; an odd number
swarm_port: int = 2377  # port of cluster management; Docker fixes 7946 (gossip) and 4789/udp (overlay)
swarm_workers: list[str] = ["edge"]  # groups whose hosts join as workers
swarm_drained: list[str] = []  # hosts that run no tasks, for maintenance
swarm_address_pool: str = "10.221.0.0/16"  # range for networks that Swarm makes itself (ingress)
service_network: str = "10.220.0.0/20"  # range of the services' overlay: 113 replicas double during a rollout
service_network_mtu: int = 0  # MTU of the services' overlay; 0: the smallest uplink of its hosts minus VXLAN's headers
swarm_wait_seconds: int = 60  # how long a run waits for a node to become active, or for managers to agree
# A node counts as lost after three of these heartbeats, or six if the leader was lost with it; then its tasks
# start elsewhere. With Docker's default of 5 they wait for half a minute.
swarm_heartbeat_seconds: int = 3
