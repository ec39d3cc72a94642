"""Grafana on each ops host, on loopback: its source of data and its dashboards come from files alone.

Its own database is in memory and made again at each start: it has nothing but the administrator, whose password is in
a file. So no dashboard outlives its file, and a new password takes a restart.

Any environment can plan and render it. It is carried out only where hosts reach the vendor's repository and the
project has the vendor's signing key.
"""

from nexus.environment.environment import Environment, Host
from nexus.environment.generated import generated
from nexus.environment.vendor_key import signing_key
from nexus.plan.desired import Desired, Directory, File, Unit
from roles.grafana.board import Board, boards

UNIT = "grafana-server"
ACCOUNT = "grafana"  # the package makes it
KEYRING = "/usr/share/keyrings/grafana.asc"
SOURCES = "/etc/apt/sources.list.d/grafana.sources"
PIN = "/etc/apt/preferences.d/grafana"
CONFIG = "/etc/grafana/grafana.ini"
DEFAULTS = f"/etc/default/{UNIT}"
DROP_IN = f"/etc/systemd/system/{UNIT}.service.d/10-nexus-cos.conf"
PASSWORD = "/etc/grafana/admin-password"
PROVISIONING = "/etc/grafana/provisioning"
DATA_SOURCE = f"{PROVISIONING}/datasources/nexus-cos.yaml"
PROVIDER = f"{PROVISIONING}/dashboards/nexus-cos.yaml"
DASHBOARDS = "/etc/grafana/dashboards"
MEMORY = "grafana-data"  # the directory of its database, below /run


def plan(env: Environment, host: Host) -> Desired:
    """Plan the vendor's package with our files; nothing while `grafana_enabled` is off."""
    if not host.setting.grafana_enabled:
        return Desired()
    config = env.render("grafana/grafana.ini.j2", password=PASSWORD)
    return Desired(
        early=(
            File(KEYRING, signing_key(env, "Grafana", "grafana", "set grafana_enabled to False")),
            File(SOURCES, env.render("grafana/grafana.sources.j2", keyring=KEYRING)),
            File(PIN, env.render("grafana/preferences.j2")),
        ),
        packages=("grafana",),
        directories=(Directory(DASHBOARDS),),
        files=(
            File(CONFIG, config),
            File(DEFAULTS, env.render("grafana/default.j2", config=CONFIG, provisioning=PROVISIONING, memory=MEMORY)),
            File(DROP_IN, env.render("grafana/service.conf.j2", memory=MEMORY)),
            File(PASSWORD, env.secret("grafana/admin"), ACCOUNT, ACCOUNT, 0o400, secret=True),
            File(DATA_SOURCE, generated(_data_source(env))),
            File(PROVIDER, generated(_provider())),
            *(_dashboard(board) for board in boards(env)),
        ),
        # It reads dashboards again every half minute, without a restart.
        units=(Unit(UNIT, restart_on=(CONFIG, DEFAULTS, DROP_IN, PASSWORD, DATA_SOURCE, PROVIDER)),),
    )


def preflight(env: Environment, host: Host) -> str | None:
    """A shell command that exits with 1 and the reason if the package is missing and cannot be fetched."""
    if not host.setting.grafana_enabled:
        return None
    url = f"{env.setting.grafana_apt_url}/dists/stable/InRelease"
    return env.render("grafana/preflight.sh.j2", url=url, host=host)


def _dashboard(board: Board) -> File:
    from roles.grafana.dashboards import document  # the package takes time to import, and few environments need it

    return File(f"{DASHBOARDS}/{board.name}.json", document(board))


def _data_source(env: Environment) -> dict[str, object]:
    source = {
        "name": "Prometheus",
        "uid": "prometheus",
        "type": "prometheus",
        "access": "proxy",
        "url": f"http://127.0.0.1:{env.setting.prometheus_port}",
        "isDefault": True,
        "editable": False,
        "jsonData": {"timeInterval": f"{env.catalogue.operations.monitoring.scrape_interval_seconds}s"},
    }
    return {"apiVersion": 1, "prune": True, "datasources": [source]}


def _provider() -> dict[str, object]:
    provider = {
        "name": "nexus-cos",
        "folder": "Nexus COS",
        "type": "file",
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 30,
        "options": {"path": DASHBOARDS},
    }
    return {"apiVersion": 1, "providers": [provider]}
