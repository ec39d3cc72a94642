"""Settings of the comparison's hosts."""

from benchmarks import WORK as _WORK

provider = "lab"
secrets_generate = True
secrets_file = f"{_WORK}/secrets.age"
secrets_identity = f"{_WORK}/age.key"
