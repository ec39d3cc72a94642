"""Settings of the proxy role."""

proxy_connections: int = 8000  # the most connections of one host's services to all stores
proxy_connect_seconds: int = 3  # how long a new connection to a store may take
proxy_idle_seconds: int = 3600  # the time after which a connection without traffic is closed
# The interval at which each host that runs services checks the stores' members: shorter means a shorter gap and
# more load.
proxy_check_milliseconds: int = 2000
# Connections from before a reload are no longer checked: they are cut after this time, and clients open new ones.
proxy_hard_stop_seconds: int = 60
