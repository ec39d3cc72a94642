"""Settings of the simulated hosts: room for any number of services."""

from benchmarks import WORK as _WORK

secrets_file = f"{_WORK}/many.age"
secrets_identity = f"{_WORK}/many.key"
service_memory_scale = 0.001
