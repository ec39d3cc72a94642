"""gateway.yaml: routes, limits and headers of the public edge."""

from typing import Literal, Self

from pydantic import model_validator

from nexus.catalogue import types

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Route(types.Entry):
    """A path of the edge and its service; no methods means all methods."""

    path: types.Path
    service: types.ServiceRef
    auth: Literal["none", "required", "partial"]
    methods: tuple[Method, ...] = ()
    upstream_path: types.Path | None = None

    @model_validator(mode="after")
    def _paths_are_alike(self) -> Self:
        if self.upstream_path and self.upstream_path.endswith("/") != self.is_prefix:
            how = "with" if self.is_prefix else "without"
            text = f"{self.upstream_path!r} does not match {self.path!r}; end it {how} a slash, like the path"
            raise types.wrong(text, "upstream_path")
        return self

    @property
    def is_prefix(self) -> bool:
        """Whether everything below the path belongs to the route, or only the path itself."""
        return self.path.endswith("/")

    @property
    def target(self) -> str:
        """The path that the service sees in place of `path`."""
        return self.upstream_path or self.path


class ApiGateway(types.Entry):
    """The service that the documents name as gateway, and its figures."""

    service: types.ServiceRef
    public_paths: tuple[types.Path, ...]
    own_endpoints: tuple[types.Path, ...]
    body_limit_bytes: types.Count
    metrics: types.Names


class Versioning(types.Entry):
    """Path prefixes that choose a version of the API."""

    prefixes: types.Filled[types.VersionPrefix]
    default: types.Word

    @model_validator(mode="after")
    def _default_is_one_of_them(self) -> Self:
        names = [prefix.split("/")[2] for prefix in self.prefixes]
        if self.default not in names:
            raise types.wrong(f"{self.default!r}: write one of {', '.join(names)}", "default")
        return self


class SpecialPath(types.Entry):
    """A path with a rule that applies before every route below it."""

    path: types.Path
    rule: Literal["api-key", "address-allow-list"]
    header: types.Header | None = None
    setting: types.Variable | None = None
    deny: types.Refusal


class EdgeLimit(types.Entry):
    """Requests and connections of one client address at the edge."""

    zone: types.Word
    zone_size: types.ZoneSize
    requests_per_second: types.Count
    burst: types.Whole
    nodelay: bool
    connections_per_address: types.Count
    scope: types.Path


class WindowLimit(types.Entry):
    """Requests in a long window, counted by `key`."""

    name: types.Word
    key: Literal["client-address", "user", "email"]
    requests: types.Count
    window_seconds: types.Count
    scope: types.Path


class RateLimits(types.Entry):
    """All limits on the number of requests."""

    edge: EdgeLimit
    windows: tuple[WindowLimit, ...]


class Timeouts(types.Entry):
    """How long an answer may take, in milliseconds."""

    default: types.Count
    health_check: types.Count
    browser_client: types.Count
    services: dict[types.ServiceRef, types.Count]


class Websocket(types.Entry):
    """WebSocket connections through the edge."""

    reject_code: types.Count
    message: types.Names
    pass_headers: types.Names
    max_connections: types.Count


class Cors(types.Entry):
    """Cross-origin requests; the origins come from the setting named."""

    origins_setting: types.Variable
    separator: types.Text
    credentials: bool
    max_age_seconds: types.Whole


class Tls(types.Entry):
    """TLS of the edge."""

    protocols: types.Filled[Literal["TLSv1.2", "TLSv1.3"]]
    http2: bool
    redirect_http: Literal[301, 308]
    issuer: types.Text
    check_expiry: types.Text


class Handshake(types.Entry):
    """The header that services marked `handshake` require."""

    header: types.Header
    value: types.HeaderValue
    env: types.Variable
    bypass_env: types.Variable


class Edge(types.Entry):
    """The outermost layer."""

    cdn: types.Names
    health_path: types.Path


class Frontend(types.Entry):
    """A set of static pages and the host names it answers to."""

    name: types.Word
    hosts: types.Names
    root: types.Path
    spa: bool
    gzip_min_length_bytes: types.Whole | None = None
    static_path: types.Path | None = None
    static_expires: types.Duration
    sections: types.Names = ()
    environment: types.Names = ()
    bucket: types.Text | None = None


class GatewayFile(types.Entry):
    """gateway.yaml as a whole."""

    api_gateway: ApiGateway
    versioning: Versioning
    routes: tuple[Route, ...]
    special_paths: tuple[SpecialPath, ...]
    errors: dict[types.Text, types.Status]
    rate_limits: RateLimits
    timeouts_ms: Timeouts
    websocket: Websocket
    cors: Cors
    tls: Tls
    security_headers: dict[types.Header, types.HeaderValue]
    csp: dict[types.Word, tuple[types.HeaderValue, ...]]
    proxy_headers: types.Names
    handshake: Handshake
    edge: Edge
    frontends: tuple[Frontend, ...]
