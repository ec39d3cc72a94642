"""Settings that belong to no single role. Group data, inventory and `--data` override them."""

provider: str = "ssh"  # provider of the hosts: "lab", "aws", or "ssh" for hosts that already exist
domain: str = "nexuscos.example.com"  # domain of the platform: api.DOMAIN, www.DOMAIN; certificates name it
address: str = ""  # address for traffic between hosts; if empty, the ssh address
gateway_network: str = "10.219.0.0/24"  # network at whose first address containers reach their own host

# encrypted file of secrets; {environment}.recipients next to it lists who can read it
secrets_file: str = "group_data/secrets/{environment}.age"
# private age key that reads the secrets; the environment variable NEXUS_AGE_IDENTITY overrides it
secrets_identity: str = "~/.config/nexus-cos/age.key"
secrets_generate: bool = False  # create missing secrets during a run; otherwise `make secrets` creates them
ca_file: str = ""  # file to which a run writes the certificate of the environment's CA, for clients
log_directory: str = "/var/log/nexus-cos"  # directory of logs, as in the handoff docs (operations.yaml: logging)

RENAMED = {"swarm_gateway_network": "gateway_network"}
