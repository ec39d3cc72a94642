"""Docker Compose on one lab host: everything is healthy, routes and buckets answer, and nothing stays after the end."""

from __future__ import annotations

import base64
import io
import json
import shlex
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import Figure
from control import Control

from runbooks.compose.__main__ import environment
from runbooks.compose.render import Files, files
from runbooks.compose.store import servers

DIRECTORY = "/var/lib/nexus-cos/compose-scenario"
SECONDS_MAX = 240
BUILD_SECONDS = 900
READY = "fetch(process.argv[1]).then((answer) => answer.text()).then((text) => console.log(text))"
STOPPED = "docker ps -aq --filter label=com.docker.compose.project=nexus"


def archive(made: Files) -> str:
    """Both folders as a tar, in base64."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as packed:
        for folder, contents in (("public", made.public), ("secret", made.secret)):
            for name, content in contents.items():
                entry = tarfile.TarInfo(f"{folder}/{name}")
                entry.size, entry.mode = len(content), 0o755 if name in made.programs else 0o644
                packed.addfile(entry, io.BytesIO(content))
    return base64.b64encode(target.getvalue()).decode()


def asked_objects(values: Mapping[str, str], other: str) -> str:
    """A script that stores an object by the key of a service, asks for it, and asks for the `other` bucket."""
    login = shlex.quote(f'user = "{values["AWS_ACCESS_KEY_ID"]}:{values["AWS_SECRET_ACCESS_KEY"]}"')
    bucket = f"{values['S3_ENDPOINT']}/{values['S3_BUCKET']}"
    words = f"-sS -m 20 --config - --cacert /run/secrets/ca.pem --aws-sigv4 aws:amz:{values['S3_REGION']}:s3"
    return f"""
ask() {{ echo {login} | curl {words} "$@"; }}
ask -o /dev/null -w '%{{http_code}} ' -X PUT --data-binary 'an object' {bucket}/one
ask -w ' %{{http_code}} ' {bucket}/one
ask -o /dev/null -w '%{{http_code}}' {values["S3_ENDPOINT"]}/{other}
"""


@pytest.mark.full
def test_everything_is_healthy(control: Control, tmp_path: Path, figure: Figure) -> None:
    """On the host that builds images, which has Docker, mmdebstrap and the images of services."""
    host = control.group("ops")[0]
    env = environment(control.name, tmp_path)
    port = env.setting.compose_port

    def root(command: str, text: str = "", seconds: float = 60) -> str:
        return control.ssh(host, f"sudo -n sh -c {shlex.quote(command)}", text, seconds)

    before = root("docker volume ls -q; docker network ls -q")
    root("command -v docker-compose || apt-get install -y -q docker-compose", seconds=300)
    root(f"rm -rf {DIRECTORY}; mkdir -p -m 700 {DIRECTORY}")
    made = files(env)
    root(f"base64 -d | tar -xz -C {DIRECTORY}", archive(made), seconds=120)
    compose = (
        f"cd {DIRECTORY}/public && NEXUS_COMPOSE_SECRETS={DIRECTORY}/secret docker-compose -f docker-compose.full.yml"
    )
    try:
        root(f"{DIRECTORY}/public/build.sh", seconds=BUILD_SECONDS)
        assert root(f"{compose} config -q", seconds=120) == ""
        began = float(root("date +%s.%N"))
        start = f"SECONDS_MAX={SECONDS_MAX} {DIRECTORY}/public/start.sh {DIRECTORY}/secret"
        root(start, seconds=SECONDS_MAX + 120)
        taken = float(root("date +%s.%N")) - began
        figure("Compose: all services healthy", taken)
        healthy = root(f"{STOPPED} --filter health=healthy").split()
        assert len(healthy) == len(env.catalogue.services) + len(servers(env)) + 1
        for route in env.catalogue.routes:
            method = route.methods[0] if route.methods else "GET"
            url = f"http://127.0.0.1:{port}{route.path}"
            answer = root(f"curl -s -m 10 -X {method} {url}")
            assert f'"service":"{route.service}"' in answer, f"{method} {route.path}: {answer}"
            assert f'"path":"{route.target}"' in answer, f"{method} {route.path}: {answer}"
        storing = {
            name: dict(line.split("=", 1) for line in made.secret[f"{name}.env"].decode().splitlines())
            for name in (service.name for service in env.catalogue.services_of_store("object-storage"))
        }
        assert len(storing) > 1
        for name, values in storing.items():
            url = f"http://127.0.0.1:{env.catalogue.service(name).port}/health/ready"
            found = root(f"{compose} exec -T {name} node -e {shlex.quote(READY)} {url}")
            assert json.loads(found)["stores"]["object-storage"]["status"] == "ok", f"{name}: {found}"
            other = next(each["S3_BUCKET"] for each in storing.values() if each != values)
            found = root(f"{compose} exec -T object-storage sh -s", asked_objects(values, other))
            assert found.split() == ["200", "an", "object", "200", "403"], f"{name}: {found}"
        again = root(f"{compose} up -d 2>&1", seconds=300)
        assert "Recreate" not in again
        assert taken <= SECONDS_MAX
    finally:
        root(f"{compose} down --volumes --timeout 30; rm -rf {DIRECTORY}", seconds=300)
    assert root(STOPPED) == ""
    assert root("docker volume ls -q; docker network ls -q") == before
