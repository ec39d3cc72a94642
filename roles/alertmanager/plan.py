"""Alertmanager on each ops host; together they send each notification once."""

from typing import Any

import yaml

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, File, Unit
from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF

NAME = "prometheus-alertmanager"
CONFIG = "/etc/prometheus/alertmanager.yml"
WEB, CLUSTER = "/etc/prometheus/alertmanager-web.yml", "/etc/prometheus/alertmanager-cluster.yml"
DEFAULTS = f"/etc/default/{NAME}"
DROP_IN = f"/etc/systemd/system/{NAME}.service.d/10-nexus-cos.conf"
DATA = "/var/lib/prometheus/alertmanager"


def plan(env: Environment, host: Host) -> Desired:
    """Debian's Alertmanager; a change of receivers is a reload."""
    server = {"cert_file": LEAF, "key_file": KEY, "client_ca_file": CA, "client_auth_type": "RequireAndVerifyClientCert"}
    client = {"cert_file": LEAF, "key_file": KEY, "ca_file": CA}
    others = [other for other in env.group("ops") if other.name != host.name]
    arguments = (
        f"--config.file={CONFIG}",
        f"--storage.path={DATA}",
        f"--web.config.file={WEB}",
        f"--web.listen-address={host.address}:{host.setting.alertmanager_port}",
        f"--cluster.listen-address={f'{host.address}:{host.setting.alertmanager_cluster_port}' if others else ''}",
        *((f"--cluster.tls-config={CLUSTER}",) if others else ()),
        *(f"--cluster.peer={other.address}:{other.setting.alertmanager_cluster_port}" for other in others),
    )
    return Desired(
        packages=(NAME,),
        files=(
            File(CONFIG, _yaml(configuration(env)), group="prometheus", mode=0o640, secret=True),
            File(WEB, _yaml({"tls_server_config": server})),
            File(CLUSTER, _yaml({"tls_server_config": server, "tls_client_config": client})),
            File(DEFAULTS, env.render("exporter/default.j2", arguments=arguments, variables={})),
            File(DROP_IN, env.render("exporter/service.conf.j2", groups=(KEY_GROUP,), user="")),
        ),
        units=(
            Unit(
                NAME,
                restart_on=(WEB, CLUSTER, DEFAULTS, DROP_IN),
                reload_on=(CONFIG,),
                reload_check=f"amtool check-config {CONFIG}",
            ),
        ),
    )


def members(env: Environment) -> list[str]:
    """ADDRESS:PORT of all Alertmanagers."""
    return [f"{host.address}:{host.setting.alertmanager_port}" for host in env.group("ops")]


def configuration(env: Environment) -> dict[str, Any]:
    """alertmanager.yml."""
    routing = env.catalogue.operations.alerts.routing
    return {
        "route": {
            "receiver": "nobody",
            "group_by": list(routing.group_by),
            "group_wait": f"{routing.group_wait_seconds}s",
            "group_interval": f"{routing.group_interval_seconds}s",
            "repeat_interval": f"{routing.repeat_interval_hours}h",
        },
        "receivers": [{"name": "nobody"}],
    }


def _yaml(content: Any) -> str:
    return "# Generated.\n" + yaml.safe_dump(content, sort_keys=False, width=1000)
