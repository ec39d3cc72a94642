"""Settings of the router, with their defaults."""

router_port: int = 8088  # the port for Nginx on the same host
router_metrics_port: int = 8404  # the port of health and metrics on the same host
router_peer_port: int = 10024  # port on loopback inside the container, for its own reloads
router_admin_port: int = 10025  # port on loopback inside the container, for its own reloads
router_state_file: str = "/tmp/haproxy.state"  # path inside the container, where its user may write
router_check_interval_ms: int = 2000  # interval of the check of each task: 43 tasks make 22 requests a second
router_resolver: str = "127.0.0.11:53"  # Docker's DNS inside every container
router_slots_per_replica: int = 2  # servers per replica: a rollout runs old and new tasks at the same time
router_connections: int = 8000  # the most connections, two file descriptors each: 50000 WebSockets need a larger ulimit
router_threads: int = 0  # 0: one per CPU
router_retries: int = 3  # tries of a request that no task has answered yet
router_connect_timeout_ms: int = 1000  # how long a task may take to accept a connection
router_retransmissions: int = 3  # unanswered retransmissions after which a connection is dead: 3 take 3 s, each doubles
router_tunnel_timeout_seconds: int = 3600  # how long a WebSocket may be idle
router_hard_stop_seconds: int = 3600  # how long WebSockets keep an old worker alive after a reload
router_stop_seconds: int = 30  # time from SIGTERM to SIGKILL
router_timeouts_ms: dict[str, int] = {}  # timeouts by service, which override those of gateway.yaml
router_user: str = ""  # the workers' account where HAProxy is started as root; our image starts it as haproxy

# The documents state three limits per client address that contradict each other: 100 requests in
# 15 minutes for the whole API would stop a browser after a few pages, and the edge's own limit is 100 a
# second. So only the two windows that protect accounts are on; "gateway" can be added.
router_windows: list[str] = ["login", "registration"]
router_window_requests: dict[str, int] = {}  # requests by window, which override those of gateway.yaml
