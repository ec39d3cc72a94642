"""The Docker engine of one host: packages, configuration, login at the registry, housekeeping.

The role `swarm` handles membership in the swarm, the role `service` what runs in it.
"""

import base64
import json
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, Link, State, Unit
from roles.docker.host.planned import PLANNED
from roles.registry.plan import login, registry_name

CONFIG = "/etc/docker/daemon.json"
CONTAINERD = "/run/containerd/containerd.sock"
IN_ORDER = ("docker.*", "containerd", "runc")
SOURCE = Path(__file__).parent / "host/state.py"
ASKED = ("log-driver", "live-restore", "storage-driver", "data-root")  # the settings that the engine reports
PRUNE = "/usr/local/lib/nexus-cos/docker-prune"
MEMORY = "/var/lib/nexus-cos/docker"  # when each image was last used
UNITS = "/etc/systemd/system"
# A restarted manager is ready once it hears the others; a worker or an engine without a swarm is ready at once.
READY = (
    "info=$(docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}') || exit 1; "
    'case $info in "pending "*) exit 1;; "active true") docker node ls -q >/dev/null;; esac'
)


def plan(env: Environment, host: Host) -> Desired:
    """Everything that `host` needs to run the environment's containers."""
    directories = [
        Directory("/etc/docker"),
        Directory("/root/.docker", mode=0o700),
        Directory("/usr/local/lib/nexus-cos"),
        Directory(MEMORY, mode=0o700),
    ]
    service = env.render("docker/prune.service.j2", program=PRUNE, memory=MEMORY)
    files = [
        File(CONFIG, engine_config(host)),
        File(PRUNE, env.render("docker/prune.py.j2", memory=MEMORY), mode=0o755),
        File(f"{UNITS}/nexus-docker-prune.service", service),
        File(f"{UNITS}/nexus-docker-prune.timer", env.render("docker/prune.timer.j2")),
    ]
    links = []
    registry = registry_name(env)
    if registry:
        directories.append(Directory(f"/etc/docker/certs.d/{registry}"))
        links.append(Link(f"/etc/docker/certs.d/{registry}/ca.crt", "/etc/nexus-cos/tls/ca.pem"))
        files.append(File("/root/.docker/config.json", registry_login(env, registry), mode=0o600, secret=True))
    return Desired(
        packages=("docker.io", "docker-cli", "iptables"),
        directories=tuple(directories),
        files=tuple(files),
        links=tuple(links),
        units=(Unit("docker.service", restart_on=(CONFIG,), ready_check=READY), Unit("nexus-docker-prune.timer")),
        states=(_running(host),),
    )


def _running(host: Host) -> State:
    """What the engine and the kernel have in force; host/planned.py holds the planned values."""
    wanted = {name: value for name, value in json.loads(engine_config(host)).items() if name in ASKED}
    context = {
        "path": CONFIG,
        "containerd": CONTAINERD,
        "ready": READY,
        "wanted": {"insecure-registries": [], "registry-mirrors": [], **wanted},
    }
    return State("docker", SOURCE, PLANNED, context=context)


def engine_config(host: Host) -> str:
    """daemon.json of `host`.

    The storage driver is named so that the engine fails at once on a host without overlay2, instead of
    copying every layer of every container (vfs). live-restore is off: Swarm refuses it.
    """
    setting = host.setting
    mtu = setting.docker_mtu or (host.traits.mtu if host.traits else 0)
    config: dict[str, Any] = {
        "bip": setting.docker_bridge_address,
        "data-root": setting.docker_data_root,
        "default-address-pools": setting.docker_address_pools,
        "live-restore": False,
        "log-driver": "json-file",
        "log-opts": {"max-file": str(setting.docker_log_files), "max-size": f"{setting.docker_log_max_mebibytes}m"},
        "shutdown-timeout": setting.docker_stop_seconds,
        "storage-driver": "overlay2",
    }
    if mtu:
        config["mtu"] = mtu
    if host.traits and host.traits.gpus:
        config["default-runtime"] = "nvidia"
        config["node-generic-resources"] = [f"NVIDIA-GPU={index}" for index in range(host.traits.gpus)]
        config["runtimes"] = {"nvidia": {"path": "nvidia-container-runtime", "runtimeArgs": []}}
    return json.dumps(config, indent=2, sort_keys=True) + "\n"


def registry_login(env: Environment, registry: str) -> str:
    """Docker's own config.json with the login at the environment's registry."""
    token = base64.b64encode(":".join(login(env)).encode()).decode()
    return json.dumps({"auths": {registry: {"auth": token}}}, indent=2) + "\n"
