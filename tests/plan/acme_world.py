"""Edge hosts, ops hosts and two authorities on one network of loopback, for tests of orders and deliveries."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.environment.settings import Settings, defaults
from nexus.pki.ca import Authority
from nexus.secrets.store import Secrets
from tests.plan.acme_authority import FakeDns, Pebble
from tests.plan.acme_edge import DOMAIN, EdgeHost, environ, install
from tests.plan.loopback import Place

SECONDS = 200


class World:
    """Three edge hosts, two ops hosts, two authorities, all on one network of loopback."""

    def __init__(self, directory: Path, signer: Authority, edges: int = 3, **settings: Any) -> None:
        self.directory, self.place = directory, Place()
        http, https, door, *ports = self.place.ports
        address = self.place.address
        self.dns = FakeDns(address(9), (ports[0], ports[1]), address(11))
        self.first, self.second = (
            Pebble(directory / f"pebble{number}", signer, address(20 + number), tuple(ports[2:5]), self.dns.place, http)
            for number in (1, 2)
        )
        values = {
            "domain": DOMAIN,
            "acme_directories": [self.first.url, self.second.url],
            "acme_ca_file": str(directory / "pebble1/ca.pem"),
            "acme_resolvers": [self.dns.place],
            "acme_port": door,
            "nginx_http_port": http,
            "nginx_https_port": https,
            **settings,
        }
        setting = Settings({**defaults(), **values})
        named = [(f"edge{n}", f"{10 + n}", "edge") for n in range(1, edges + 1)] + [
            ("ops1", "31", "ops"),
            ("ops2", "32", "ops"),
        ]
        hosts = tuple(Host(name, address(int(last)), frozenset({"all", group}), setting) for name, last, group in named)
        secrets = Secrets(directory / "secrets.age", directory / "age.key", generate=True)
        secrets.put("tls/ca-key", signer.key)
        secrets.put("tls/ca-certificate", signer.certificate)
        for name, value in settings.get("secrets", {}).items():
            secrets.put(name, value)
        self.env = Environment("test", hosts, setting, secrets)
        self.edges = [EdgeHost(self.env, host, directory / host.name) for host in self.env.group("edge")]
        for host in self.env.group("ops"):
            install(self.env, host, directory / host.name)
        self.first.start()

    def close(self) -> None:
        """Stop everything."""
        for edge in self.edges:
            edge.stop()
        for each in (self.first, self.second, self.dns):
            each.close()
        self.place.close()

    def run(self, name: str = "ops1", *words: str) -> tuple[int, str]:
        """Exit status and output of the program of an ops host, started once."""
        place = self.directory / name
        argv = [sys.executable, "-B", "-m", "roles.acme.host.renewer.main", str(place / "acme.json"), *words]
        done = subprocess.run(
            argv, env=environ(place), cwd="/", capture_output=True, text=True, timeout=SECONDS, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def record(self, name: str = "ops1") -> dict[str, Any]:
        """The record of an ops host."""
        found: dict[str, Any] = json.loads((self.directory / name / "state/record.json").read_text())
        return found

    def change_record(self, **values: Any) -> None:
        """Change the record of the first ops host, as time would."""
        path = self.directory / "ops1/state/record.json"
        path.write_text(json.dumps({**self.record(), **values}))

    def configure(self, name: str = "ops1", **values: Any) -> None:
        """Change the configuration of an ops host."""
        path = self.directory / name / "acme.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    def serials(self) -> set[str]:
        """The serials that edge hosts show."""
        return {edge.serial() for edge in self.edges if not edge.stopped.is_set()}

    def due(self) -> None:
        """Let the certificate be due now."""
        now = time.time()
        told = {"serial": self.record()["serial"], "start": now, "end": now}
        self.change_record(information=told, ask_again=now + 999)


@contextlib.contextmanager
def running(directory: Path, signer: Authority, **settings: Any) -> Iterator[World]:
    """All of it, which is always stopped."""
    made = World(directory, signer, **settings)
    try:
        yield made
    finally:
        made.close()
