"""The box: one host in every group, for trying things out."""

provider = "lab"
secrets_file = ".lab/box/secrets.age"
secrets_identity = ".lab/box/age.key"
secrets_generate = True
ca_file = ".lab/box/ca.pem"

base_chrony = False  # the hosts share the kernel's clock
