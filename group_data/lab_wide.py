"""The wide lab: settings of its files in the checkout; the others are in one_machine.py."""

provider = "lab"
secrets_file = ".lab/lab_wide/secrets.age"
secrets_identity = ".lab/lab_wide/age.key"
ca_file = ".lab/lab_wide/ca.pem"

keepalived_address = "10.213.0.110/24"
keepalived_interface = "host0"
