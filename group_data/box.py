"""The box: one host in every group, for trying things out."""

provider = "lab"
secrets_file = ".lab/box/secrets.age"
secrets_identity = ".lab/box/age.key"
secrets_generate = True
ca_file = ".lab/box/ca.pem"

base_chrony = False  # the hosts share the kernel's clock

# The catalogue at full size asks for 102 cores and 204 GiB.
capacity_shared = True  # all hosts see the same cores and memory
service_replicas_max = 1
service_cpu_scale = 0.0
service_memory_scale = 0.125
service_gpu = False
