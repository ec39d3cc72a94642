"""Alerts about Prometheus itself. If it does not run at all, the dead man's switch tells."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from nexus.run.alert import Alert

# Of several ops hosts one keeps the record; another one did while that one was down.
LAST_RUN = "(nexus_run_timestamp_seconds == scalar(max(nexus_run_timestamp_seconds)))"
AGAIN = "journalctl -u prometheus there, then deploys/monitoring.py"


def alerts(env: Environment) -> Iterator[Alert]:
    """Its configuration, its rules, and its way to every Alertmanager."""
    yield Alert(
        "PrometheusConfigurationRefused",
        "prometheus_config_last_reload_successful",
        "{{ $labels.host }}: Prometheus runs with an earlier configuration, since it could not read the latest",
        AGAIN,
    )
    yield Alert(
        "PrometheusRulesFail",
        "rate(prometheus_rule_evaluation_failures_total[5m])",
        "{{ $labels.host }}: rules of {{ $labels.rule_group }} cannot be evaluated, {{ $value }} per second",
        AGAIN,
    )
    yield Alert(
        "PrometheusTooSlow",
        "rate(prometheus_rule_group_iterations_missed_total[5m])",
        "{{ $labels.host }}: {{ $value }} evaluations per second of {{ $labels.rule_group }} are missed",
        "give the ops host more processors, or fewer rules",
    )
    yield Alert(
        "PrometheusCannotNotify",
        "rate(prometheus_notifications_errors_total[2m])",
        "{{ $labels.host }}: Prometheus cannot send alerts to {{ $labels.alertmanager }}, {{ $value }} per second fail",
        "systemctl status prometheus-alertmanager on that host, then deploys/monitoring.py",
    )
    yield Alert(
        "RunIncomplete",
        f"(nexus_run_complete and on (host) {LAST_RUN})",
        "the last run of {{ $externalLabels.environment }} did not complete, as {{ $labels.host }} recorded",
        "deploys/history.py names it; then run deploys/full.py",
    )
    yield Alert(
        "RunOpen",
        f"(time() - {LAST_RUN}) * on (host) nexus_run_open",
        "a run of {{ $externalLabels.environment }} has been open for {{ $value | humanizeDuration }}",
        "deploys/history.py names it; if its process is gone, deploys/unlock.py",
    )
    yield Alert(
        "ScrapeSlow",
        "max by (host, job) (scrape_duration_seconds)",
        "{{ $labels.host }}: metrics of {{ $labels.job }} take {{ $value }} s, more than {threshold}",
        "deploys/status.py; a busy host or daemon answers late",
    )
