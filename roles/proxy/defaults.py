"""Settings of the proxy role."""

proxy_connections: int = 8000  # of one host's services to all stores
proxy_connect_seconds: int = 3
proxy_idle_seconds: int = 3600  # a connection on which nothing is said
# Checks of each store's members from every host that runs services: sooner is a shorter gap and more load.
proxy_check_milliseconds: int = 2000
# Connections of before a reload are no longer checked: they are cut after this, and opened again.
proxy_hard_stop_seconds: int = 60
