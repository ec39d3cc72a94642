"""The box: what it keeps in the checkout; the rest is in one_machine.py."""

provider = "lab"
secrets_file = ".lab/box/secrets.age"
secrets_identity = ".lab/box/age.key"
ca_file = ".lab/box/ca.pem"
