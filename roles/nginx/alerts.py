"""Alerts about requests of clients: errors and times of every service, the promise to them, logins, the edge itself."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert
from roles.nginx.records import SERVICES, records

__all__ = ["alerts", "records"]

FEW = 10  # failed requests in the longer window that are no reason to wake anybody, however few others there were
STATUS = "deploys/status.py shows the service's tasks; docker service logs nexus_{{ $labels.service }}"


def alerts(env: Environment) -> Iterator[Alert]:
    """One rule for all services, by their name in the access log."""
    yield Alert(
        "HighErrorRate",
        "service:request_errors:ratio_rate5m",
        "{{ $labels.service }}: {{ $value | humanizePercentage }} of requests failed, "
        "the limit is a share of {threshold}",
        STATUS,
    )
    yield Alert(
        "HighLatency",
        'service:request_duration_seconds:quantile_rate5m{quantile="0.95"}',
        "{{ $labels.service }}: 5 % of requests take {{ $value | humanizeDuration }} or longer, "
        "the limit is {threshold} s",
        STATUS,
    )
    yield _budget(env, "ErrorBudgetFast", "1h", "5m")
    yield _budget(env, "ErrorBudgetSlow", "6h", "30m")
    yield from _clients(env)
    yield Alert(
        "NginxDown",
        'nginx_up{job="nginx"}',
        "{{ $labels.host }}: Nginx does not answer at its status port, so clients reach nothing on this edge host",
        "deploys/edge.py",
    )
    yield Alert(
        "ProbeFailed",
        # The edge host is the first word of `server`: if Nginx is down there, that says all.
        'label_replace(max by (server) (probe_success{job="probe"}), "host", "$1", "server", "([^ ]+) .*")',
        "{{ $labels.server }}: no ops host gets the expected answer over TLS",
        "deploys/status.py; curl -v --resolve NAME:443:ADDRESS https://NAME/PATH from an ops host",
    )


def _budget(env: Environment, name: str, long: str, short: str) -> Alert:
    """How many times faster errors come than the promise allows, in a long window and still in a short one."""
    allowed = f"{(100 - env.catalogue.operations.slo.uptime_percent) / 100:.6g}"
    ratios = [f"service:request_errors:ratio_rate{window} / {allowed} {{limit}}" for window in (long, short)]
    enough = f'sum by (service) (increase(nginx_requests_total{{class="5xx",{SERVICES}}}[{long}])) > {FEW}'
    return Alert(
        name,
        " and on (service) ".join((*ratios, enough)),
        f"{{{{ $labels.service }}}}: requests of {long} failed {{{{ $value | humanize }}}} times as often as promised, "
        "the limit is {threshold}",
        STATUS,
    )


def _clients(env: Environment) -> Iterator[Alert]:
    yield Alert(
        "HighFailedLogins",
        "sum(rate(nginx_login_failures_total[5m])) * 60",
        "the edge: {{ $value | humanize }} logins a minute are refused, the limit is {threshold}",
        "the addresses: grep '\"statusCode\":401' /var/log/nginx/access.log on the edge hosts",
    )
    service = env.setting.nginx_auth_service
    yield Alert(
        "LoginCheckFailing",
        "sum(rate(nginx_login_check_failures_total[5m])) * 60",
        f"the edge: {service} leaves {{{{ $value | humanize }}}} tokens a minute unchecked, and their requests are "
        "answered 503; the limit is {threshold}",
        f"deploys/status.py shows {service} and Redis; docker service logs nexus_{service}",
    )
    yield Alert(
        "TokenGenerationSpike",
        "sum(rate(nginx_tokens_issued_total[5m])) * 60",
        "the edge: {{ $value | humanize }} tokens a minute are issued, the limit is {threshold}",
        "the addresses: grep -e tokens/generate -e auth/ /var/log/nginx/access.log on the edge hosts",
    )
