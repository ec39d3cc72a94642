"""Hosts that share one machine with two cores: the lab and the box. All sizes are small."""

secrets_generate = True

base_chrony = False  # the hosts share the kernel's clock

# A host of the lab cannot change these, for they are the machine's. Its network is its own.
hardening_except = [
    f"{_name}: the kernel belongs to the machine around the host"
    for _name in (
        "kernel-addresses", "kernel-debugging", "kernel-links", "kernel-bpf", "kernel-console", "kernel-core-dumps",
        "apparmor",
    )
]  # fmt: skip

# The catalogue at full size asks for 102 cores and 204 GiB.
capacity_shared = True  # all hosts see the same cores and memory
capacity_reserved_memory_bytes = 512 * 1024**2  # a host without services uses a third of it
capacity_store_memory_bytes = 256 * 1024**2  # by the percentages below
service_replicas_max = 1
service_cpu_scale = 0.0
service_memory_scale = 0.125
service_gpu = False

# Three stores and 43 services in the memory of one machine.
postgresql_memory_percent = 2
redis_memory_percent = 1
redis_cache_memory_percent = 1
rabbitmq_memory_percent = 4
rabbitmq_disk_free_limit_mb = 512
mongodb_memory_percent = 2

# Tests on this machine send more requests to the edge than a client may; this is the machine's address in the lab.
edge_unlimited_networks = ["10.213.0.1/32"]

# A load test of two cores that have all hosts: up to 50 requests a second, 48 seconds.
load_test_rate_percent = 10
load_test_seconds_percent = 10
load_test_asks = False

# Elsewhere a release is watched for 30 s; here scenarios do dozens of releases.
release_min_ready_seconds = 10

# Load and disk are those of the machine, which has all hosts and all tests: what they write says nothing of a host.
prometheus_alerts = {"LoadHigh": {"above": 40}, "DiskFullSoon": {"off": True}, "EtcdFsyncSlow": {"above": 2}}
