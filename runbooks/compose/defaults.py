"""Settings of the Compose files."""

compose_address: str = "127.0.0.1"  # address of this machine at which the routes are served
compose_port: int = 8080  # port of the routes
compose_directory: str = ".compose"  # directory of the secrets, in the checkout; Compose mounts its files
compose_postgresql_connections: int = 500  # connections that PostgreSQL accepts, without a pooler in between
