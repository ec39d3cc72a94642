"""Settings of the simulated hosts: room for any number of services."""

secrets_file = ".lab/bench/many.age"
secrets_identity = ".lab/bench/many.key"
service_memory_scale = 0.001
