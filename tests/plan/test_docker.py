"""The engine's configuration and login, and the housekeeping against a fake engine."""

import base64
import http.server
import json
import os
import socketserver
import subprocess
import sys
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from roles.docker.plan import CONFIG, PRUNE, plan
from tests.plan.environments import environment

DAY = 86400


def files(desired):
    return {file.path: file for file in desired.files}


def test_engine_follows_the_host(tmp_path):
    env = environment(tmp_path, docker_log_max_mebibytes=7)
    config = json.loads(files(plan(env, env.host("app1")))[CONFIG].content)
    assert config["mtu"] == 1400
    assert config["log-opts"] == {"max-file": "3", "max-size": "7m"}
    assert config["live-restore"] is False  # Swarm refuses it
    assert config["storage-driver"] == "overlay2"
    assert "node-generic-resources" not in config


def test_engine_restarts_with_its_configuration(tmp_path):
    env = environment(tmp_path)
    units = {unit.name: unit for unit in plan(env, env.host("app1")).units}
    assert units["docker.service"].restart_on == (CONFIG,)
    assert "nexus-docker-prune.timer" in units


def test_the_registry_login_is_secret(tmp_path):
    env = environment(tmp_path)
    desired = plan(env, env.host("app1"))
    login = files(desired)["/root/.docker/config.json"]
    assert (login.secret, login.mode) == (True, 0o600)
    token = json.loads(login.content)["auths"]["ops1:5000"]["auth"]
    assert base64.b64decode(token).decode() == f"nexus_a:{env.secret('registry/nexus/a')}"
    assert [link.path for link in desired.links] == ["/etc/docker/certs.d/ops1:5000/ca.crt"]


def test_no_login_without_a_registry(tmp_path):
    env = environment(tmp_path, groups={"app1": "app"})
    desired = plan(env, env.host("app1"))
    assert desired.links == ()
    assert "/root/.docker/config.json" not in files(desired)


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    images: list[dict[str, Any]]
    containers: list[dict[str, Any]]
    deleted: list[str]

    def get_request(self):
        connection, _ = super().get_request()
        return connection, ("local", 0)


class Engine(http.server.BaseHTTPRequestHandler):
    """The part of Docker's API that housekeeping uses."""

    server: Server

    def log_message(self, *args):
        pass

    def do_GET(self):
        path = urlsplit(self.path).path
        self.answer(200, self.server.images if path == "/images/json" else self.server.containers)

    def do_DELETE(self):
        self.server.deleted.append(urlsplit(self.path).path.rsplit("/", 1)[1])
        self.answer(200, [])

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@pytest.fixture
def engine(tmp_path):
    with Server(str(tmp_path / "docker.sock"), Engine) as server:
        server.images, server.containers, server.deleted = [], [], []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def image(number, *names, created=0):
    digests = [f"{name}@sha256:{number}" for name in names]
    return {"Id": f"sha256:{number}", "RepoDigests": digests, "RepoTags": None, "Created": created, "Size": 1}


def prune(tmp_path, *options):
    """Run the program as installed on a host, with its socket and memory in the test's directory."""
    env = environment(tmp_path)
    text = files(plan(env, env.host("app1")))[PRUNE].content
    text = text.replace("/run/docker.sock", str(tmp_path / "docker.sock"))
    text = text.replace("/var/lib/nexus-cos/docker/image-use.json", str(tmp_path / "memory.json"))
    program = tmp_path / "prune"
    program.write_text(text)
    argv = [sys.executable, str(program), "--unused-days=7", "--keep-releases=2", *options]
    return subprocess.run(argv, check=True, capture_output=True, text=True, env=os.environ).stdout


def test_prune_keeps_used_recent_and_last_released_images(tmp_path, engine):
    engine.images = [image(number, "r/auth") for number in range(1, 6)] + [image(9)]
    engine.containers = [{"ImageID": "sha256:1"}]
    now = time.time()
    ages = {1: 90, 2: 8, 3: 60, 4: 50, 5: 3, 9: 30}  # days since each was last seen in use
    memory = {f"sha256:{number}": now - days * DAY for number, days in ages.items()}
    (tmp_path / "memory.json").write_text(json.dumps(memory))
    prune(tmp_path)
    # 1 runs, 5 was used 3 days ago, and those two are also the last two releases; 9 has no name
    assert sorted(engine.deleted) == ["sha256:2", "sha256:3", "sha256:4", "sha256:9"]


def test_prune_keeps_the_last_releases_of_every_service(tmp_path, engine):
    engine.images = [image(1, "r/auth", "r/old"), image(2, "r/auth"), image(3, "r/auth")]
    now = time.time()
    memory = {"sha256:1": now - 30 * DAY, "sha256:2": now - 20 * DAY, "sha256:3": now - 10 * DAY}
    (tmp_path / "memory.json").write_text(json.dumps(memory))
    prune(tmp_path)
    assert engine.deleted == []


def test_prune_gives_an_image_time_from_when_it_was_first_seen(tmp_path, engine):
    engine.images = [image(number) for number in range(3)]
    prune(tmp_path)
    assert engine.deleted == []


def test_prune_dry_run_only_reports_removals(tmp_path, engine):
    engine.images = [image(1)]
    (tmp_path / "memory.json").write_text(json.dumps({"sha256:1": 0}))
    assert "would" not in prune(tmp_path, "--dry-run")
    assert "sha256:1"[7:] in prune(tmp_path, "--dry-run")
    assert engine.deleted == []
