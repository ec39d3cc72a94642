"""Settings of the edge, with their defaults. What the documents state is in gateway.yaml, not here."""

nginx_https_port: int = 443  # the port for clients
nginx_http_port: int = 80  # the port that redirects to HTTPS
nginx_listen_addresses: list[str] = ["0.0.0.0", "[::]"]  # addresses that clients reach
nginx_http2_directive: bool = True  # whether to write "http2 on"; Nginx before 1.25.1 has it as a parameter of listen
nginx_status_port: int = 8081  # port of stub_status, only on loopback
nginx_user: str = "www-data"  # user of the worker processes
nginx_pid_file: str = "/run/nginx.pid"  # file with the number of the master process
nginx_log_directory: str = "/var/log/nginx"  # directory of access and error logs
nginx_certificate: str = "/etc/nexus-cos/tls/leaf.pem"  # the edge's certificate, PEM; another file is a public one
nginx_certificate_key: str = "/etc/nexus-cos/tls/leaf.key"  # its key
nginx_router_address: str = "127.0.0.1"  # address of the router, which runs on the same host
nginx_tuning: dict[str, str | int] = {}  # Nginx's own settings, which override tuning.nginx of operations.yaml
nginx_hsts_seconds: int = 31536000  # how long browsers must use HTTPS alone
nginx_trusted_proxies: list[str] = []  # load balancers or CDNs in front, whose X-Forwarded-For is trusted

# Services that accept large uploads. In the documents the gateway accepts 10 MB (gateway.yaml) and the Nginx in
# front of it 50 MB. Only these services get the larger limit; any other would read such a body into memory as JSON.
nginx_upload_services: list[str] = ["puabo-dsp-upload-mgr", "content-management"]

nginx_cors_origins: list[str] = []  # allowed origins, in addition to https://DOMAIN
# Headers that browsers may send from allowed origins.
nginx_cors_headers: list[str] = ["Authorization", "Content-Type", "X-Api-Key", "X-Requested-With"]

edge_unlimited_networks: list[str] = []  # networks without limits per client address
nginx_admin_networks: list[str] = []  # networks that may reach /api/admin/; empty: none
# Modules and services whose routes answer with a maintenance page. deploys/maintenance.py adds to it for all checkouts.
nginx_maintenance: list[str] = []
nginx_maintenance_seconds: int = 600  # seconds after which a maintenance page tells clients to retry

nginx_api_key_clients: list[str] = []  # names of clients with a key for /api/public/; the keys are secrets

# Whether routes marked `auth: required` ask nginx_auth_service about the token of each request, and refuse the request
# without a good one. It is off while no service logs users in: nobody would have a token.
nginx_auth_request: bool = False
nginx_auth_service: str = "token-mgr"  # the service that checks tokens: {"token": "..."} by POST; 200 or 401
nginx_auth_path: str = "/tokens/verify"  # the path of its check
nginx_auth_user_claim: str = "userId"  # the claim of a token that names the user; services get it as X-User-Id
# Paths that issue a token to anyone who asks. With login on only edge hosts and nginx_admin_networks reach them: else
# each user could become any other.
nginx_auth_issuers: list[str] = ["/api/tokens/generate"]
# Methods without authentication on routes marked `auth: partial`; the documents do not name them. Reading products
# is open, and so is reporting an error, which browsers do before a login.
nginx_auth_open_methods: dict[str, list[str]] = {"puabo-nuki-product-catalog": ["GET", "HEAD"], "glitch": ["POST"]}
