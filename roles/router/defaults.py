"""Settings of the router, with their defaults."""

router_port: int = 8088
router_metrics_port: int = 8404
router_metrics_sources: list[str] = []  # addresses beside the edge host itself that may read /metrics
router_peer_port: int = 10024  # these two on loopback inside the container, for its own reloads
router_admin_port: int = 10025
router_state_file: str = "/tmp/haproxy.state"  # inside the container, whose user may write there
router_check_interval_ms: int = 2000  # one check per task and interval: 43 tasks make 22 requests a second
router_resolver: str = "127.0.0.11:53"  # Docker's DNS inside every container
router_slots_per_replica: int = 2  # start-first runs old and new tasks side by side while a service rolls
router_connections: int = 8000  # two file descriptors each: 50000 WebSockets want a larger ulimit
router_threads: int = 0  # 0: one per CPU
router_retries: int = 3
router_connect_timeout_ms: int = 1000
router_tunnel_timeout_seconds: int = 3600  # a WebSocket on which nothing is said
router_hard_stop_seconds: int = 3600  # how long WebSockets keep an old worker alive after a reload
router_stop_seconds: int = 30
router_timeouts_ms: dict[str, int] = {}  # by service, over those of gateway.yaml
router_user: str = ""  # the workers' account where HAProxy is started as root; our image starts it as haproxy

# The documents state three windows for one client address that contradict each other: 100 requests in
# 15 minutes for the whole API would stop a browser after a few pages, and the edge's own limit is 100 a
# second. So the two that guard accounts are on; "gateway" can be added.
router_windows: list[str] = ["login", "registration"]
router_window_requests: dict[str, int] = {}  # by window, over those of gateway.yaml
