"""The router of one edge host: its configuration, and where its log lines go.

The container belongs to the stack (role `service`), which takes its definition from `stack`.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.plan.desired import Desired, Directory, File, State, Unit
from roles.router.backend import backends, canaries
from roles.router.window import windows

DIRECTORY = "/etc/nexus-cos/router"
CONFIG = f"{DIRECTORY}/haproxy.cfg"
INSIDE = "/etc/haproxy"  # where the container sees the directory
LOG = "log.sock"  # where HAProxy sends lines: a socket in its directory needs no other container
LOG_UNIT = "nexus-router-log"
LABEL = "nexus.service"


def plan(env: Environment, host: Host) -> Desired:
    """Everything on the edge host itself."""
    config, stamp = configuration(env)
    log = f"/etc/systemd/system/{LOG_UNIT}"
    return Desired(
        directories=(Directory("/etc/nexus-cos"), Directory(DIRECTORY)),
        files=(
            File(CONFIG, config),
            File(f"{log}.socket", env.render("router/log.socket.j2", socket=f"{DIRECTORY}/{LOG}")),
            File(f"{log}.service", env.render("router/log.service.j2")),
        ),
        units=(Unit(f"{LOG_UNIT}.socket"), Unit(f"{LOG_UNIT}.service", restart_on=(f"{log}.service",))),
        states=(
            State(
                "router",
                Path(__file__).parent / "host/state.py",
                items={"router config": {"sha256": stamp}},
                context={
                    "port": env.setting.router_port,
                    "admin_port": env.setting.router_admin_port,
                    "state_file": env.setting.router_state_file,
                    "sha256": stamp,
                    "inside": INSIDE,
                },
            ),
        ),
    )


def configuration(env: Environment) -> tuple[str, str]:
    """haproxy.cfg and the hash of its content, which the running router names in its own /health."""
    values = {
        "backends": (*backends(env), *canaries(env)),
        "canaries": canaries(env),
        "windows": windows(env),
        "log_socket": f"{INSIDE}/{LOG}",
        "user_claim": _user_claim(str(env.setting.nginx_auth_user_claim)) if env.setting.nginx_auth_request else "",
        "check_timeout_ms": env.catalogue.gateway.timeouts_ms.health_check,
    }
    stamp = hashlib.sha256(env.render("router/haproxy.cfg.j2", stamp="", **values).encode()).hexdigest()
    return env.render("router/haproxy.cfg.j2", stamp=stamp, **values), stamp


def _user_claim(claim: str) -> str:
    """The claim that names the user of a token; OperatorError for a name that no claim has."""
    if not re.fullmatch(r"\w+(\.\w+)*", claim):
        raise OperatorError(f'nginx_auth_user_claim is "{claim}": name a claim of tokens, such as userId or sub')
    return claim


def stack(env: Environment) -> dict[str, Any]:
    """Compose definition of the service `router`, without its image, which the stack pins by digest.

    Two tasks cannot share its host ports, so an update stops the old task first and interrupts the edge. That is
    why everything that changes often is in the configuration file, which is reloaded in place.
    """
    setting = env.setting
    ports = (setting.router_port, setting.router_metrics_port)
    return {
        "entrypoint": ["haproxy"],
        "command": ["-W", "-db", "-f", f"{INSIDE}/haproxy.cfg"],
        "labels": {LABEL: "router"},
        "networks": ["nexus"],
        "ports": [{"target": port, "published": port, "protocol": "tcp", "mode": "host"} for port in ports],
        # the directory, not the file: a file that is renamed into place would stay hidden behind its own mount
        "volumes": [{"type": "bind", "source": DIRECTORY, "target": INSIDE, "read_only": True}],
        # a request on a kept connection to a lost host must fail, and be repeated, before its time is over
        "sysctls": {"net.ipv4.tcp_retries2": str(setting.router_retransmissions)},
        "stop_signal": "SIGUSR1",  # the soft stop: running requests are finished
        "stop_grace_period": f"{setting.router_stop_seconds}s",
        "healthcheck": {
            "test": ["CMD", "bash", "-c", _HEALTH.format(port=setting.router_port)],
            "interval": "30s",
            "timeout": "5s",
            "retries": 3,
            "start_period": "30s",
            "start_interval": "1s",
        },
        "deploy": {
            "mode": "global",
            "endpoint_mode": "dnsrr",
            "labels": {LABEL: "router"},
            "placement": {"constraints": ["node.labels.nexus.edge == true"]},
            "update_config": {"parallelism": 1, "order": "stop-first", "failure_action": "rollback"},
            "restart_policy": {"condition": "any", "delay": "1s"},
        },
    }


# bash's own TCP: the image needs no other client, and nothing heavy is started. It avoids the dollar sign, which a
# Compose file would read as a variable
_HEALTH = (
    "exec 3<>/dev/tcp/127.0.0.1/{port} && printf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3 "
    "&& head -n 1 <&3 | grep -q ' 200 '"
)
