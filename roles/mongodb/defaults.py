"""Settings of the mongodb role. Debian has no MongoDB, so these name the vendor's repository."""

mongodb_version: str = "8.0"  # the catalogue's 6 is not built for any Debian that is still kept up
mongodb_repository: str = "https://repo.mongodb.org/apt/debian"
mongodb_suite: str = "bookworm"  # the newest Debian that the vendor documents; its packages install on 13
mongodb_key_url: str = "https://pgp.mongodb.com/server-8.0.asc"
mongodb_key_file: str = "group_data/keys/mongodb.asc"  # where the armoured key lies, seen from the project
mongodb_port: int = 27017
mongodb_memory_percent: int = 40  # of the host's memory for WiredTiger's cache
mongodb_join_seconds: int = 600  # for a new member to have its copy, and for a set to have a primary
