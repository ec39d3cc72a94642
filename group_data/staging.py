"""Settings of staging that differ from the defaults, each with its reason; docs/configuration.md has more."""

provider = "ssh"  # the hosts exist
domain = "nexuscos.example.com"  # api.DOMAIN, www.DOMAIN; certificates name it
ca_file = "reports/ca-staging.pem"  # the internal CA, for clients; a run writes it
service_replicas_max = 1  # of 113 replicas 43 are left; there are 15.5 cores, 63 GiB on 1 app host
service_cpu_scale = 0.25  # 8.811 of 102 cores requested
service_memory_scale = 0.5  # 35.25 of 204 GiB requested
service_gpu = False  # no app host has a GPU; 6 are asked for
postgresql_memory_percent = 40  # 25.6 GiB of data1.staging, which all stores share
redis_memory_percent = 15  # 9.6 GiB of data1.staging, which all stores share
redis_cache_memory_percent = 5  # 3.2 GiB of data1.staging, which all stores share
rabbitmq_memory_percent = 15  # 9.6 GiB of data1.staging, which all stores share
mongodb_memory_percent = 10  # 6.4 GiB of data1.staging, which all stores share
