"""Prometheus on each ops host: it reads the metrics of all hosts and decides about alerts.

Every ops host has the same targets and rules, so one of them is enough. Targets are the exporters that roles plan, so
none can be forgotten; rules are what roles say in `alerts.py`, with the limits in operations.yaml.
"""

from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.environment.generated import generated
from nexus.error import OperatorError
from nexus.plan.desired import Desired, Directory, File, Unit
from nexus.run.alert import Alert
from nexus.run.exporter import Exporter
from roles.alertmanager.plan import members
from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.exporter.plan import exporters
from roles.exporter.unit import unit_files
from roles.prometheus import constant
from roles.prometheus.limit import entries
from roles.table import ROLES

CONFIG = "/etc/prometheus/prometheus.yml"
RULES = "/etc/prometheus/rules"
RESEND_SECONDS = 20
DATA = "/var/lib/prometheus/metrics2"
TLS = {"ca_file": CA, "cert_file": LEAF, "key_file": KEY}


def plan(env: Environment, host: Host) -> Desired:
    """Debian's Prometheus. A change of targets or rules is a reload, after promtool has read them."""
    rules = [
        File(f"{RULES}/{role}.yml", generated({"groups": [{"name": role, "rules": found}]}))
        for role, found in rules_by_role(env).items()
    ]
    arguments = (
        f"--config.file={CONFIG}",
        f"--storage.tsdb.path={DATA}",
        f"--storage.tsdb.retention.time={env.catalogue.operations.monitoring.prometheus_retention_days}d",
        f"--storage.tsdb.retention.size={env.setting.prometheus_retention_bytes_max}",
        # Prometheus repeats alerts this often; Alertmanager ends those that stop, and with them calls to the switch.
        f"--rules.alert.resend-delay={RESEND_SECONDS}s",
        f"--web.listen-address=127.0.0.1:{env.setting.prometheus_port}",
    )
    unit = unit_files(env, "prometheus", arguments, groups=(KEY_GROUP,))
    return Desired(
        packages=("prometheus", "promtool"),
        directories=(Directory(RULES),),
        files=(File(CONFIG, generated(configuration(env, host))), *rules, *unit),
        units=(
            Unit(
                "prometheus",
                restart_on=tuple(file.path for file in unit),
                reload_on=(CONFIG, *(rule.path for rule in rules)),
                reload_check=f"promtool check config {CONFIG}",
                ready_check=f"curl -fsS -m 5 -o /dev/null http://127.0.0.1:{env.setting.prometheus_port}/-/ready",
            ),
        ),
    )


def configuration(env: Environment, host: Host) -> dict[str, Any]:
    """prometheus.yml of one host; its name is what tells the series and alerts of several ops hosts apart."""
    operations = env.catalogue.operations
    return {
        "global": {
            "scrape_interval": f"{operations.monitoring.scrape_interval_seconds}s",
            "evaluation_interval": f"{operations.alerts.evaluation_interval_seconds}s",
            "external_labels": {"environment": env.name, "prometheus": host.name},
        },
        "rule_files": [f"{RULES}/*.yml"],
        "alerting": {
            # Copies of one alert are one alert: the name of the Prometheus that sent it does not belong to it.
            "alert_relabel_configs": [{"action": "labeldrop", "regex": "prometheus"}],
            "alertmanagers": [{"scheme": "https", "tls_config": TLS, "static_configs": [{"targets": members(env)}]}],
        },
        "scrape_configs": [_scrape(*scrape) for scrape in scrapes(env)],
    }


def scrapes(env: Environment) -> list[tuple[str, Exporter, str, list[Host]]]:
    """(name, exporter, server, hosts) of every scrape: hosts whose exporters of a job differ in nothing share one."""
    found: dict[str, tuple[Exporter, str, list[Host]]] = {}
    for host in env.hosts:
        for exporter in exporters(env, host):
            for server in exporter.queries or ("",):
                name = f"{exporter.job} {server}".strip()
                found.setdefault(name, (exporter, server, []))[2].append(host)
    return [(name, *scrape) for name, scrape in sorted(found.items())]


def _scrape(name: str, exporter: Exporter, server: str, hosts: list[Host]) -> dict[str, Any]:
    parameters = {"module": [exporter.job]}
    for parameter, value in exporter.queries.get(server, {}).items():
        parameters.setdefault(parameter, []).append(value)  # the relay hands on a second module
    labels = {"job": exporter.job} | ({"server": server} if server else {})
    found: dict[str, Any] = {
        "job_name": name,
        "scheme": "https",
        "tls_config": TLS,
        "metrics_path": "/proxy",
        "params": parameters,
        "static_configs": [
            {"targets": [f"{host.address}:{host.setting.exporter_port}"], "labels": {**labels, "host": host.name}}
            for host in hosts
        ],
        "relabel_configs": [{"source_labels": ["host"], "target_label": "instance"}],
    }
    if exporter.drop:
        drop = {"source_labels": ["__name__"], "regex": exporter.drop, "action": "drop"}
        found["metric_relabel_configs"] = [drop]
    return found


def rules_by_role(env: Environment) -> dict[str, list[dict[str, Any]]]:
    """{role: rules} of the roles that have hosts in this environment, and the constant ones.

    What alerts use is computed before them. OperatorError if operations.yaml has no entry for an alert.
    """
    limits, found = entries(env), {"constant": constant.rules(env)}
    for role, module in ROLES.bringing("alerts").items():
        if ROLES.hosts(role, env) and hasattr(module, "records"):
            found[role] = [record.rule() for record in module.records(env)]
    scale, runbooks = float(env.setting.prometheus_duration_scale), str(env.setting.prometheus_runbooks)
    known = {rule.name for rule in env.catalogue.operations.alerts.rules}
    for role, alert in alerts(env):
        if alert.name not in known:
            place = env.catalogue.where("operations.yaml", "alerts", "rules")
            raise OperatorError(f"{place}: no entry has the name {alert.name}, an alert of role {role}: add it")
        if alert.name in limits:
            found.setdefault(role, []).append(alert.rule(limits[alert.name], scale, runbooks))
    return found


def alerts(env: Environment) -> list[tuple[str, Alert]]:
    """(role, alert) of the roles that have hosts."""
    return [
        (role, alert)
        for role, module in ROLES.bringing("alerts").items()
        if ROLES.hosts(role, env)
        for alert in module.alerts(env)
    ]
