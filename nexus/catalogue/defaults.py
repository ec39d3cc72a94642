"""How large the catalogue's services are in an environment, and what its hosts reserve for themselves.

An environment overrides these in its group data; sizes are computed in capacity.py.
"""

services_excluded: list[str] = []  # services to leave out of this environment, with their routes

service_replicas: dict[str, int] = {}  # replicas of individual services, for instance {"auth-service": 2}
service_replica_scale: float = 1.0  # factor for the catalogue's replicas; the result is rounded up
service_replicas_max: int = 0  # upper bound for scaled replicas; 0 means no bound
service_cpu_scale: float = 1.0  # factor for the catalogue's CPU requests; 0 requests no CPU
service_memory_scale: float = 1.0  # factor for the catalogue's memory requests
service_memory_min_bytes: int = 64 * 1024**2  # lower bound for memory requests: no Node.js process starts with less
service_gpu: bool = True  # False runs services that want a GPU without one

capacity_shared: bool = False  # True if the hosts share one machine: count its CPU and memory once
capacity_reserved_cpus: float = 0.5  # CPUs reserved for the system, per machine
capacity_reserved_memory_bytes: int = 1024**3  # memory reserved for the system, per host
capacity_store_memory_bytes: int = 1024**3  # memory reserved for each store that runs on an app host

# Figures of a host that cannot be probed yet, as host data in the inventory.

capacity_cpus: int = 0  # CPUs of the host; 0 means that the host is asked
capacity_memory_bytes: int = 0  # memory of the host; 0 means that the host is asked
capacity_gpus: int = 0  # GPUs of the host; 0 means that the host is asked
