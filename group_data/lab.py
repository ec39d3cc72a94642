"""The lab: eight hosts that share one machine of two cores, so everything is small and gentle."""

provider = "lab"
secrets_file = ".lab/secrets.age"
secrets_identity = ".lab/age.key"
secrets_generate = True
ca_file = ".lab/ca.pem"

base_chrony = False  # the hosts share the kernel's clock
