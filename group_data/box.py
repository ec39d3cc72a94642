"""The box: settings of its files in the checkout; the others are in one_machine.py."""

provider = "lab"
secrets_file = ".lab/box/secrets.age"
secrets_identity = ".lab/box/age.key"
ca_file = ".lab/box/ca.pem"
