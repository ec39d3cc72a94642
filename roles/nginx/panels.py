"""Panels about the requests of clients, from Nginx's access log: rate, errors and duration of each service."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, highest, plot, table, value

SERVICES, BUSINESS = "services", "business"
QUIET = "There were no requests."
# Series that Prometheus computes from the access log, see records.py.
RATE = "service:requests:rate5m"
ERRORS = "service:request_errors:rate5m"
TIMES = "rate(nginx_request_duration_seconds_bucket[5m])"
SHARE = 'sum(rate(nginx_requests_total{class="5xx"}[5m])) / (sum(rate(nginx_requests_total[5m])) > 0)'


def _slower(share: float) -> str:
    """The duration that this share of all requests stays below."""
    return f"histogram_quantile({share}, sum by (le) ({TIMES}))"


def _slowest(share: float, of: str = "service") -> str:
    """The same for each service or module."""
    return f'max by ({of}) ({of}:request_duration_seconds:quantile_rate5m{{quantile="{share}"}})'


REQUESTS = (
    value(
        "overview",
        "Requests",
        "per second",
        "Requests of clients that Nginx answered.",
        ("sum(rate(nginx_requests_total[5m]))", "requests"),
        absent=QUIET,
    ),
    value(
        "overview",
        "Failed requests",
        "ratio",
        "Share of answers with status 500 and above. The alert is at 5 %.",
        (SHARE, "failed"),
        absent=QUIET,
    ),
    value(
        "overview",
        "95 of 100 requests",
        "seconds",
        "95 of 100 requests are answered faster. The alert is at 1 s for a service.",
        (_slower(0.95), "p95"),
        absent=QUIET,
    ),
    plot(
        SERVICES,
        "Requests by status",
        "per second",
        "Answers to clients by the first digit of their status.",
        ("sum by (class) (rate(nginx_requests_total[5m])) > 0", "{{class}}"),
        absent=QUIET,
    ),
    plot(
        SERVICES,
        "Time to the answer",
        "seconds",
        "The share of requests in the legend is answered faster.",
        (_slower(0.5), "50 %"),
        (_slower(0.95), "95 %"),
        (_slower(0.99), "99 %"),
        absent=QUIET,
    ),
    plot(
        SERVICES,
        "Busiest services",
        "per second",
        "Requests of the services with the most of them now.",
        (highest(f"{RATE} > 0", "service"), "{{service}}"),
        absent=QUIET,
    ),
    plot(
        SERVICES,
        "Slowest services",
        "seconds",
        "95 of 100 requests are answered faster; the services that are slowest now.",
        (highest(f"{_slowest(0.95)} > 0", "service"), "{{service}}"),
        absent=QUIET,
    ),
    plot(
        SERVICES,
        "Errors by service",
        "per second",
        "Answers with status 500 and above.",
        (f"{ERRORS} > 0", "{{service}}"),
        absent="No service answered with an error.",
    ),
    table(
        SERVICES,
        "Services as clients see them",
        "The last five minutes of each service that was asked for something.",
        "service",
        (RATE, "requests", "per second"),
        ("service:request_errors:ratio_rate5m", "failed", "ratio"),
        (_slowest(0.5), "half are faster", "seconds"),
        (_slowest(0.95), "95 % are faster", "seconds"),
        absent=QUIET,
    ),
    table(
        SERVICES,
        "Modules as clients see them",
        "All services of a module together.",
        "module",
        ("module:request_errors:ratio_rate1h", "failed in 1 h", "ratio"),
        ("module:request_errors:ratio_rate6h", "failed in 6 h", "ratio"),
        (_slowest(0.95, "module"), "95 % are faster", "seconds"),
        absent=QUIET,
    ),
    plot(
        "infrastructure",
        "Connections of clients",
        "number",
        "Open connections of Nginx; most of them wait for the next request.",
        ("nginx_connections_active", "{{host}}: open"),
        ("nginx_connections_waiting", "{{host}}: waiting"),
    ),
)

# The services of the platform count neither sign-ups nor revenue: what the edge sees of their use has to do.
USE = (
    value(
        BUSINESS,
        "Tokens issued",
        "number",
        "Successful sign-ins and renewals of sessions in the last hour.",
        ("sum(increase(nginx_tokens_issued_total[1h]))", "tokens"),
    ),
    value(
        BUSINESS,
        "Failed sign-ins",
        "number",
        "Sign-ins with a wrong password in the last hour.",
        ("sum(increase(nginx_login_failures_total[1h]))", "failed"),
    ),
    plot(
        BUSINESS,
        "Sign-ins",
        "per second",
        "Tokens that were issued, and sign-ins that failed.",
        ("sum(rate(nginx_tokens_issued_total[5m]))", "tokens issued"),
        ("sum(rate(nginx_login_failures_total[5m]))", "failed"),
    ),
    plot(
        BUSINESS,
        "Sessions",
        "per second",
        "Requests about sessions that succeeded.",
        (
            'sum by (service) (rate(nginx_requests_total{service=~"session-mgr|auth-service",class="2xx"}[5m]))',
            "{{service}}",
        ),
        absent="There were no such requests.",
    ),
    plot(
        BUSINESS,
        "WebSockets that ended",
        "per second",
        "Connections of live features, by service.",
        ('sum by (service) (rate(nginx_requests_total{class="1xx"}[5m])) > 0', "{{service}}"),
        absent="There were no WebSockets.",
    ),
    table(
        BUSINESS,
        "Most used features",
        "Successful requests by service in the last hour.",
        "service",
        ('topk(20, sum by (service) (increase(nginx_requests_total{class="2xx"}[1h])) > 0)', "requests", "number"),
        absent=QUIET,
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """Requests of all services, and what they say about the platform's use."""
    yield from (*REQUESTS, *USE)
