"""Settings of the Compose files."""

compose_address: str = "127.0.0.1"  # address of this machine at which the routes are served
compose_port: int = 8080  # port of the routes
compose_directory: str = ".compose"  # directory of the secrets, in the checkout; Compose mounts its files
compose_postgresql_connections: int = 500  # connections that PostgreSQL accepts, without a pooler in between
# True adds MongoDB as the profile "mongodb", from its vendor's packages (mongodb_repository, mongodb_version); the key
# in mongodb_key_file signs them. False leaves it out, and services that declare it say so
compose_mongodb: bool = False
compose_mongodb_cache_gib: float = 0.25  # memory of MongoDB's cache
