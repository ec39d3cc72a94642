"""Series that are computed from the access log: error ratios and times of every service and module."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Record

WINDOWS = ("5m", "30m", "1h", "6h")
QUANTILES = ("0.5", "0.95", "0.99")
SERVICES = 'service!="nginx"'  # what no route leads to is none of a service's requests
BUCKETS = "service:request_duration_seconds_bucket:rate5m"


def records(env: Environment) -> Iterator[Record]:
    """Every service that had requests; a module has those of its services."""
    for window in WINDOWS:
        requests = f"sum by (service) (rate(nginx_requests_total{{{SERVICES}}}[{window}]))"
        errors = f'sum by (service) (rate(nginx_requests_total{{class="5xx",{SERVICES}}}[{window}]))'
        yield Record(f"service:requests:rate{window}", requests)
        yield Record(f"service:request_errors:rate{window}", errors)
        ratio = f"service:request_errors:rate{window} / (service:requests:rate{window} > 0)"
        yield Record(f"service:request_errors:ratio_rate{window}", ratio)
    yield Record(BUCKETS, f"sum by (service, le) (rate(nginx_request_duration_seconds_bucket{{{SERVICES}}}[5m]))")
    for quantile in QUANTILES:
        of = f"histogram_quantile({quantile}, {BUCKETS})"
        yield Record("service:request_duration_seconds:quantile_rate5m", of, {"quantile": quantile})
    for module in env.catalogue.modules:
        if module.services:  # not all of them excluded
            yield from _of_module(module.slug, f'service=~"{"|".join(module.services)}"')


def _of_module(slug: str, services: str) -> Iterator[Record]:
    for window in WINDOWS:
        errors, requests = (
            f"sum(service:{what}:rate{window}{{{services}}})" for what in ("request_errors", "requests")
        )
        ratio = f"{errors} / ({requests} > 0)"
        yield Record(f"module:request_errors:ratio_rate{window}", ratio, {"module": slug})
    for quantile in QUANTILES:
        of = f"histogram_quantile({quantile}, sum by (le) ({BUCKETS}{{{services}}}))"
        yield Record("module:request_duration_seconds:quantile_rate5m", of, {"module": slug, "quantile": quantile})
