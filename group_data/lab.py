"""The lab: settings of its files in the checkout; the others are in one_machine.py."""

provider = "lab"
secrets_file = ".lab/secrets.age"
secrets_identity = ".lab/age.key"
ca_file = ".lab/ca.pem"
