"""The lab: what it keeps in the checkout; the rest is in one_machine.py."""

provider = "lab"
secrets_file = ".lab/secrets.age"
secrets_identity = ".lab/age.key"
ca_file = ".lab/ca.pem"
