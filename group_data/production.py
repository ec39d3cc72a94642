"""Settings of production that differ from the defaults, each with its reason; docs/configuration.md has more."""

provider = "ssh"  # the hosts exist
domain = "nexuscos.example.com"  # api.DOMAIN, www.DOMAIN; certificates name it
ca_file = "reports/ca-production.pem"  # the internal CA, for clients; a run writes it
service_cpu_scale = 0.25  # 25.496 of 102 cores requested; there are 46.5 cores, 189 GiB on 3 app hosts
service_memory_scale = 0.5  # 102 of 204 GiB requested
service_gpu = False  # no app host has a GPU; 6 are asked for
postgresql_memory_percent = 40  # 25.6 GiB of data1.production, which all stores share
redis_memory_percent = 15  # 9.6 GiB of data1.production, which all stores share
redis_cache_memory_percent = 5  # 3.2 GiB of data1.production, which all stores share
rabbitmq_memory_percent = 15  # 9.6 GiB of data1.production, which all stores share
mongodb_memory_percent = 10  # 6.4 GiB of data1.production, which all stores share
