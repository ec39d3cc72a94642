"""What the running engine uses, compared with daemon.json: the flags at its start, the settings since then."""

import os
from collections.abc import Mapping
from typing import Any

from roles.docker.host.client import Docker

PID = "/run/docker.pid"
USUAL = ("-H=fd://", "-H", "fd://", "--host=fd://")  # how Debian's unit starts it
CONTAINERD = "--containerd"
LOCAL = "127.0.0.0/8"  # the engine always accepts a registry there without TLS


def differences(docker: Docker, context: Mapping[str, Any]) -> dict[str, Any]:
    """{"in_force", "how"} where a reload fixes it, {"told"} where only an administrator can; else nothing.

    The engine reads its file at its start and at a reload. It starts four programs for an answer, so it is asked only
    where the file was touched since the start.
    """
    try:
        with open(PID, errors="replace") as stream:
            process = stream.read().strip()
        with open(f"/proc/{process}/cmdline", errors="replace") as stream:
            flags = [word for word in stream.read().split("\0")[1:] if word and word not in USUAL]
        touched = os.stat(context["path"]).st_ctime > os.stat(PID).st_mtime  # the engine writes PID when it starts
    except OSError:
        return {}
    found: dict[str, Any] = {}
    if foreign := [flag for flag in flags if not flag.startswith(CONTAINERD) and flag != context["containerd"]]:
        found["told"] = (
            f"it was started with {' '.join(foreign)}, which no role plans: remove that from DOCKER_OPTS in "
            "/etc/default/docker or from the unit (`systemctl cat docker`), then systemctl restart docker"
        )
    if touched and (words := _used(docker, context["wanted"])):
        found |= {"in_force": words, "how": f"uses {words}: it was reloaded with another {context['path']}"}
    return found


def _used(docker: Docker, wanted: Mapping[str, Any]) -> str:
    info = docker.do("read the engine's state", "GET", "/info")
    registry = info.get("RegistryConfig") or {}
    indexes = registry.get("IndexConfigs") or {}
    insecure = [name for name, index in indexes.items() if not index.get("Secure")]
    insecure += [name for name in registry.get("InsecureRegistryCIDRs") or [] if name not in (LOCAL, "::1/128")]
    used = {
        "log-driver": info.get("LoggingDriver"),
        "live-restore": info.get("LiveRestoreEnabled"),
        "storage-driver": info.get("Driver"),
        "data-root": info.get("DockerRootDir"),
        "insecure-registries": sorted(insecure),
        "registry-mirrors": registry.get("Mirrors") or [],
    }
    return ", ".join(f"{name} {used[name]}" for name, value in wanted.items() if used[name] != value)
