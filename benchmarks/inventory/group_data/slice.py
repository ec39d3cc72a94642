"""Settings of the comparison's hosts."""

provider = "lab"
secrets_generate = True
secrets_file = ".lab/bench/secrets.age"
secrets_identity = ".lab/bench/age.key"
