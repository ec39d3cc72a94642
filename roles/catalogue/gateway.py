"""gateway.yaml: routes, limits and headers of the public edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from roles.catalogue.entry import Entry

if TYPE_CHECKING:
    from roles.catalogue.kind import Count, Names, Path, Status, Text, Whole

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Route(Entry):
    """A path of the edge and the service behind it; no methods means all of them."""

    path: Path
    service: Text
    auth: Literal["none", "required", "partial"]
    methods: tuple[Method, ...] = ()
    upstream_path: Path | None = None

    @property
    def is_prefix(self) -> bool:
        """Whether everything below the path belongs to the route, or this path alone."""
        return self.path.endswith("/")

    @property
    def target(self) -> str:
        """The path that the service sees in place of `path`."""
        return self.upstream_path or self.path


class ApiGateway(Entry):
    """The service that the documents name as gateway, and its own figures."""

    service: Text
    public_paths: tuple[Path, ...]
    own_endpoints: tuple[Path, ...]
    body_limit_bytes: Count
    metrics: Names


class Versioning(Entry):
    """Path prefixes that choose a version of the API."""

    prefixes: tuple[Path, ...]
    default: Text


class SpecialPath(Entry):
    """A path with a rule of its own in front of every route below it."""

    path: Path
    rule: Literal["api-key", "address-allow-list"]
    header: Text | None = None
    setting: Text | None = None
    deny: Status


class EdgeLimit(Entry):
    """Requests and connections of one client address at the edge."""

    zone: Text
    zone_size: Text
    requests_per_second: Count
    burst: Whole
    nodelay: bool
    connections_per_address: Count
    scope: Path


class WindowLimit(Entry):
    """Requests in a long window, counted by `key`."""

    name: Text
    key: Literal["client-address", "user", "email"]
    requests: Count
    window_seconds: Count
    scope: Path


class RateLimits(Entry):
    """All limits on the number of requests."""

    edge: EdgeLimit
    windows: tuple[WindowLimit, ...]


class Timeouts(Entry):
    """How long an answer may take, in milliseconds."""

    default: Count
    health_check: Count
    browser_client: Count
    services: dict[str, Count]


class Websocket(Entry):
    """WebSocket connections through the edge."""

    reject_code: Count
    message: Names
    pass_headers: Names
    max_connections: Count


class Cors(Entry):
    """Cross-origin requests; the origins come from the setting named."""

    origins_setting: Text
    separator: Text
    credentials: bool
    max_age_seconds: Whole


class Tls(Entry):
    """TLS of the edge."""

    protocols: tuple[Literal["TLSv1.2", "TLSv1.3"], ...]
    http2: bool
    redirect_http: Literal[301, 308]
    issuer: Text
    check_expiry: Text


class Handshake(Entry):
    """The header that services marked `handshake` insist on."""

    header: Text
    value: Text
    env: Text
    bypass_env: Text


class Edge(Entry):
    """The outermost layer."""

    cdn: Names
    health_path: Path


class Frontend(Entry):
    """A set of static pages and the host names it answers to."""

    name: Text
    hosts: Names
    root: Path
    spa: bool
    gzip_min_length_bytes: Whole | None = None
    static_path: Path | None = None
    static_expires: Text
    sections: Names = ()
    environment: Names = ()
    bucket: Text | None = None


class GatewayFile(Entry):
    """gateway.yaml as a whole."""

    api_gateway: ApiGateway
    versioning: Versioning
    routes: tuple[Route, ...]
    special_paths: tuple[SpecialPath, ...]
    errors: dict[str, Status]
    rate_limits: RateLimits
    timeouts_ms: Timeouts
    websocket: Websocket
    cors: Cors
    tls: Tls
    security_headers: dict[str, str]
    csp: dict[str, Names]
    proxy_headers: Names
    handshake: Handshake
    edge: Edge
    frontends: tuple[Frontend, ...]
