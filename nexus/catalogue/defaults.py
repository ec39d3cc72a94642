"""How large the catalogue's services are in an environment, and what its hosts keep for themselves.

An environment overrides these in its group data; sizes are computed in capacity.py.
"""

services_excluded: list[str] = []  # services that this environment leaves out, with their routes

service_replicas: dict[str, int] = {}  # replicas of single services, for instance {"auth-service": 2}
service_replica_scale: float = 1.0  # of the catalogue's replicas, rounded up
service_replicas_max: int = 0  # bound on what the scale gives; 0 is none
service_cpu_scale: float = 1.0  # of the catalogue's CPU requests; 0 asks for none
service_memory_scale: float = 1.0
service_memory_min_bytes: int = 64 * 1024**2  # below this no Node.js process starts
service_gpu: bool = True  # False runs what wants a GPU without one

capacity_shared: bool = False  # the hosts share one machine: count its CPU and memory once
capacity_reserved_cpus: float = 0.5  # for the system, per machine
capacity_reserved_memory_bytes: int = 1024**3  # for the system, per host
capacity_store_memory_bytes: int = 1024**3  # for each store that runs on an app host

# Figures of a host that cannot be asked yet, as host data of the inventory; 0 asks the host.
capacity_cpus: int = 0
capacity_memory_bytes: int = 0
capacity_gpus: int = 0
