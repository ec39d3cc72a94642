"""Settings of the mongodb role. Debian has no MongoDB, so these name the vendor's repository."""

mongodb_version: str = "8.0"  # the version; the catalogue's 6 is not built for any Debian that is still maintained
mongodb_repository: str = "https://repo.mongodb.org/apt/debian"  # the vendor's repository, or a mirror
mongodb_suite: str = "bookworm"  # the newest Debian that the vendor documents; its packages install on Debian 13
mongodb_key_url: str = "https://pgp.mongodb.com/server-8.0.asc"  # the address of the vendor's signing key
mongodb_key_file: str = "group_data/keys/mongodb.asc"  # the armoured key's path, relative to the project
mongodb_port: int = 27017  # the port for services and members
mongodb_memory_percent: int = 40  # the share of the host's memory for WiredTiger's cache
mongodb_join_seconds: int = 600  # how long a new member has to get its copy, and a set to get a primary
