"""Releases of the reference service on an environment, and what the swarm keeps of them, read without the library."""

from __future__ import annotations

import json
import uuid
from typing import Any

from control import Control, Outcome

SERVICE, PATH = "session-mgr", "/api/sessions/"


def number() -> str:
    """A new release number."""
    return f"9.0.{uuid.uuid4().int % 10**9}"


def released(control: Control, services: str, release: str, fault: str = "", **data: Any) -> Outcome:
    """A run of deploys/release.py that builds its release."""
    given: dict[str, Any] = {"services": services, "release": release, "build": True, **data}
    if fault:
        given["image_environment"] = {"FAULT": fault}
    return control.run(deploy="deploys/release.py", data=given)


def kept(control: Control) -> dict[str, Any]:
    """Releases as the swarm keeps them, read without the library: {service: record}."""
    releases = {name: text for name, text in stored(control).items() if name.startswith("release ")}
    return {name.removeprefix("release "): json.loads(text) for name, text in releases.items()}


def stored(control: Control) -> dict[str, str]:
    """Everything that the environment keeps, {"KIND NAME": JSON}."""
    script = "sudo docker config inspect nexus-environment 2>/dev/null || true"
    found = json.loads(control.ssh(control.group("app")[0], script) or "[]")
    labels = [pair for config in found for pair in config["Spec"]["Labels"].items()]
    return {name: text for name, text in labels if " " in name}


def mounted(control: Control) -> dict[str, str]:
    """{path in a container: Docker config or secret} of the service."""
    form = "'{{json .Spec.TaskTemplate.ContainerSpec}}'"
    text = control.ssh(control.group("app")[0], f"sudo docker service inspect nexus_{SERVICE} --format {form}")
    container = json.loads(text)
    configs = {config["File"]["Name"]: config["ConfigName"] for config in container["Configs"]}
    return configs | {secret["File"]["Name"]: secret["SecretName"] for secret in container["Secrets"]}


def images(control: Control) -> dict[str, str]:
    """{service: release} by the image that the swarm runs, read without the library."""
    form = "'{{.Name}} {{.Image}}'"
    rows = control.ssh(control.group("app")[0], f"sudo docker service ls --format {form}").splitlines()
    pairs = (row.split(" ", 1) for row in rows)
    return {name.removeprefix("nexus_"): image.partition("@")[0].rsplit(":", 1)[1] for name, image in pairs}
