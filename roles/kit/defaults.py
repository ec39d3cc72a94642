"""Settings that belong to no single role. Group data, inventory and `--data` override them."""

from __future__ import annotations

provider: str = "ssh"  # who makes the hosts: "lab", "aws", or "ssh" for hosts that are simply there
domain: str = "nexuscos.example.com"
address: str = ""  # address for traffic between hosts; the ssh address when empty

without: str = ""  # hosts to leave out of this run, separated by commas
prune_data: bool = False  # also drop databases, vhosts and users that nothing declares any more

plan: str = ""  # with --dry: file in which to write what a run would do, for a review
apply: str = ""  # file with a reviewed plan, to be carried out if nothing has moved since

yes: bool = False  # "I mean it", for what cannot be taken back

secrets_file: str = "group_data/secrets/{environment}.age"  # who can read it: {environment}.recipients beside it
secrets_identity: str = "~/.config/nexus-cos/age.key"  # the environment variable NEXUS_AGE_IDENTITY wins
secrets_generate: bool = False  # make what is missing during a run; else `make secrets` does
ca_file: str = ""  # where a run writes the certificate of the environment's CA, for clients
log_directory: str = "/var/log/nexus-cos"  # handoff docs, operations.yaml: logging
