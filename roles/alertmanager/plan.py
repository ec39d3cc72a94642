"""Alertmanager on each ops host; together they send each notification once."""

from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.environment.generated import generated
from nexus.plan.desired import Desired, File, Unit
from roles.alertmanager.receivers import MAINTENANCE, SEVERITIES, receivers, routes, unreached
from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.exporter.unit import unit_files

NAME = "prometheus-alertmanager"
CONFIG = "/etc/prometheus/alertmanager.yml"
WEB, CLUSTER = "/etc/prometheus/alertmanager-web.yml", "/etc/prometheus/alertmanager-cluster.yml"
# The alerts that maintenance of a service or of a host may cause: a drained host may also be restarted.
AFFECTED = {
    "service": "Service.*|HighErrorRate|HighLatency|ErrorBudget.*|Pod.*|Probe.*",
    "host": "HostDown|TargetDown|UnitFailed|SwarmNodeDown",
}
DATA = "/var/lib/prometheus/alertmanager"


def plan(env: Environment, host: Host) -> Desired:
    """Debian's Alertmanager; a change of receivers is a reload."""
    server = {
        "cert_file": LEAF,
        "key_file": KEY,
        "client_ca_file": CA,
        "client_auth_type": "RequireAndVerifyClientCert",
    }
    client = {"cert_file": LEAF, "key_file": KEY, "ca_file": CA}
    others = [other for other in env.group("ops") if other.name != host.name]
    arguments = (
        f"--config.file={CONFIG}",
        f"--storage.path={DATA}",
        f"--web.config.file={WEB}",
        f"--web.listen-address={host.address}:{host.setting.alertmanager_port}",
        f"--cluster.listen-address={host.address}:{host.setting.alertmanager_cluster_port}",
        f"--cluster.tls-config={CLUSTER}",
        *(f"--cluster.peer={other.address}:{other.setting.alertmanager_cluster_port}" for other in others),
    )
    unit = unit_files(env, NAME, arguments, groups=(KEY_GROUP,))
    return Desired(
        packages=(NAME,),
        files=(
            File(CONFIG, generated(configuration(env)), group="prometheus", mode=0o640, secret=True),
            File(WEB, generated({"tls_server_config": server})),
            File(CLUSTER, generated({"tls_server_config": server, "tls_client_config": client})),
            *unit,
        ),
        units=(
            Unit(
                NAME,
                restart_on=(WEB, CLUSTER, *(file.path for file in unit)),
                reload_on=(CONFIG,),
                reload_check=f"amtool check-config {CONFIG}",
                ready_check=f"curl -fsS -m 5 -o /dev/null --cacert {CA} --cert {LEAF} --key {KEY} "
                f"https://{host.address}:{host.setting.alertmanager_port}/-/ready",
            ),
        ),
    )


def asked(host: Host) -> dict[str, Any]:
    """How code on an ops host asks its Alertmanager: see host/api.py."""
    pair = {"ca": CA, "certificate": LEAF, "key": KEY}
    return {"address": host.address, "port": int(host.setting.alertmanager_port), **pair}


def members(env: Environment) -> list[str]:
    """ADDRESS:PORT of all Alertmanagers."""
    return [f"{host.address}:{host.setting.alertmanager_port}" for host in env.group("ops")]


def notes(env: Environment) -> list[str]:
    """Who is told of nothing, and whether anyone notices that alerting itself is off."""
    if not env.group("ops"):
        return []
    found = []
    if severities := unreached(env):
        found.append(
            f"nobody is told of {' and '.join(severities)} alerts: set alertmanager_email_to or "
            "alertmanager_webhook_urls, or enter a secret of alertmanager/ (make secrets-edit)"
        )
    if not env.setting.alertmanager_watchdog_url:
        found.append("nobody notices if alerting itself stops: set alertmanager_watchdog_url to a dead man's switch")
    return found


def configuration(env: Environment) -> dict[str, Any]:
    """alertmanager.yml. What operators closed or drained inhibits the alerts that it causes, as long as it lasts."""
    routing = env.catalogue.operations.alerts.routing
    return {
        "route": {
            "receiver": SEVERITIES[-1],
            "group_by": list(routing.group_by),
            "group_wait": f"{routing.group_wait_seconds}s",
            "group_interval": f"{routing.group_interval_seconds}s",
            "repeat_interval": f"{routing.repeat_interval_hours}h",
            "routes": routes(env),
        },
        "inhibit_rules": [
            *(_inhibits(MAINTENANCE, affected, label) for label, affected in AFFECTED.items()),
            _inhibits("HostDown", ".*", "host"),
            _inhibits("NginxDown", "ProbeFailed", "host"),
        ],
        "receivers": receivers(env),
    }


def _inhibits(source: str, affected: str, label: str) -> dict[str, Any]:
    """While this alert fires, others about the same host or service are not told of."""
    return {
        "source_matchers": [f'alertname="{source}"', f'{label}!=""'],
        "target_matchers": [f'alertname!="{source}"', f'alertname=~"{affected}"'],
        "equal": [label],
    }
