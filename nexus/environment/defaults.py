"""Settings that belong to no single role. Group data, inventory and `--data` override them."""

provider: str = "ssh"  # who makes the hosts: "lab", "aws", or "ssh" for hosts that are simply there
domain: str = "nexuscos.example.com"
address: str = ""  # address for traffic between hosts; the ssh address when empty
gateway_network: str = "10.219.0.0/24"  # its first address is every host that runs containers, as seen from them

secrets_file: str = "group_data/secrets/{environment}.age"  # who can read it: {environment}.recipients beside it
secrets_identity: str = "~/.config/nexus-cos/age.key"  # the environment variable NEXUS_AGE_IDENTITY wins
secrets_generate: bool = False  # make what is missing during a run; else `make secrets` does
ca_file: str = ""  # where a run writes the certificate of the environment's CA, for clients
log_directory: str = "/var/log/nexus-cos"  # handoff docs, operations.yaml: logging
