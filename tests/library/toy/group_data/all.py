"""Settings of the toy project."""

secrets_generate = True
secrets_file = "secrets.age"
_sudo = False
