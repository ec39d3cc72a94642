"""Settings of the elk role. Debian has no Elasticsearch, so these name the vendor's repository.

It is off, because not every host reaches that repository.
"""

elk_enabled: bool = False  # whether the first ops host runs Elasticsearch, Kibana and Filebeat
elk_apt_url: str = "https://artifacts.elastic.co/packages/8.x/apt"  # the vendor's repository, or a mirror
elk_key_url: str = "https://artifacts.elastic.co/GPG-KEY-elasticsearch"  # the address of the vendor's signing key
elk_key_file: str = "group_data/keys/elk.asc"  # the armoured key's path, relative to the project
elk_version: str = "8.19.*"  # versions that apt may install, the same for all three
elk_heap_mb: int = 2048  # the memory of Elasticsearch for itself; the host's file cache needs as much again
elk_index_gb: int = 25  # the size from which lines go into a new index; one day at most
elasticsearch_port: int = 9200  # the port of Elasticsearch, on loopback
kibana_port: int = 5601  # the port of Kibana, on loopback; operators reach it by `ssh -L`
