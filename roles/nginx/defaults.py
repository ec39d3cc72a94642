"""Settings of the edge, with their defaults. What the documents state is in gateway.yaml, not here."""

nginx_https_port: int = 443
nginx_http_port: int = 80
nginx_listen_addresses: list[str] = ["0.0.0.0", "[::]"]
nginx_http2_directive: bool = True  # "http2 on", since Nginx 1.25.1; before, it was a word of listen
nginx_status_port: int = 8081  # stub_status, on loopback alone
nginx_user: str = "www-data"
nginx_pid_file: str = "/run/nginx.pid"
nginx_log_directory: str = "/var/log/nginx"
nginx_certificate: str = "/etc/nexus-cos/tls/leaf.pem"
nginx_certificate_key: str = "/etc/nexus-cos/tls/leaf.key"
nginx_router_address: str = "127.0.0.1"  # the router of the same host
nginx_tuning: dict[str, str | int] = {}  # over operations.yaml, tuning.nginx, by Nginx's own names
nginx_hsts_seconds: int = 31536000
nginx_trusted_proxies: list[str] = []  # load balancer or CDN in front, whose X-Forwarded-For is believed

# The gateway takes 10 MB (gateway.yaml), the documents' Nginx in front of it 50 MB. The larger one is
# for the services that take in files; anybody else would only read it into memory as JSON.
nginx_upload_services: list[str] = ["puabo-dsp-upload-mgr", "content-management"]

nginx_cors_origins: list[str] = []  # beside https://DOMAIN
nginx_cors_headers: list[str] = ["Authorization", "Content-Type", "X-Api-Key", "X-Requested-With"]

edge_unlimited_networks: list[str] = []  # limits per client address do not hold for these
nginx_admin_networks: list[str] = []  # who may reach /api/admin/; empty: nobody
# Modules and services whose routes answer with a maintenance page. deploys/maintenance.py adds to it for all checkouts.
nginx_maintenance: list[str] = []
nginx_maintenance_seconds: int = 600  # clients are told to come back after so long

nginx_api_key_clients: list[str] = []  # names of clients with a key for /api/public/; the keys are secrets

# Routes marked `auth: required` are checked by a subrequest to this service. Off while no service
# verifies tokens: switched on with the reference service, everybody would be let in.
nginx_auth_request: bool = False
nginx_auth_service: str = "user-auth"
nginx_auth_path: str = "/api/auth/verify"
nginx_auth_method: str = "POST"
# `auth: partial`: the documents do not say which methods are open. Looking at products is, and so is
# reporting an error, which browsers do before anybody has logged in.
nginx_auth_open_methods: dict[str, list[str]] = {"puabo-nuki-product-catalog": ["GET", "HEAD"], "glitch": ["POST"]}
