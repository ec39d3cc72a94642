"""A real edge on loopback: Nginx and the router with rendered configurations, and fake services and DNS.

Fake services answer with the request that they received, so that a test can tell which service got it, and how.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nexus.agent.lib import run
from nexus.environment.environment import Environment, Host
from nexus.environment.settings import Settings, defaults
from nexus.secrets.store import Secrets
from roles.certificate.host.public import CURRENT
from roles.certificate.host.public import DIRECTORY as ACME
from roles.frontend.plan import plan as front_end_plan
from roles.nginx.plan import DIRECTORY, plan
from roles.router.host import state
from roles.router.plan import configuration as router_configuration
from tests.plan.edge_request import ADDRESS, SECONDS, Answer, Secure, answered
from tests.plan.loopback import Place
from tests.plan.played_services import Played

UNLIMITED = "127.77.0.2"  # a client whose limits are lifted
LIMITED = "127.78.0."  # clients with limits: each test takes its own address
DOMAIN = "nexuscos.example.com"
TRIES = 12  # time for signals, five seconds each
# A busy machine accepts and answers late. The connection of a check may take as long as its interval at most.
ANSWER_MS, CONNECT_MS, INTERVAL_MS = 30_000, 10_000, 3000


def environment(directory: Path, **settings: Any) -> Environment:
    """An environment of one edge host with these settings over the defaults."""
    setting = Settings({**defaults(), **settings})
    host = Host("edge1", ADDRESS, frozenset({"all", "edge"}), setting)
    secrets = Secrets(directory / "secrets.age", directory / "age.key", generate=True)
    return Environment("test", (host,), setting, secrets)


def reason_to_skip() -> str:
    """The reason why no real edge can run here; empty if it can."""
    missing = [name for name in ("nginx", "haproxy") if not shutil.which(name)]
    if missing:
        return f"{' and '.join(missing)} not installed"
    return "" if os.geteuid() == 0 else "needs root, as the distribution's nginx writes to /var/lib/nginx"


def wait_until(what: Callable[[], Any], message: str, seconds: float = SECONDS) -> Any:
    """The first true answer of `what`; an error of the connection counts as no answer yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if answer := what():
                return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds:g} s: {message}")


class Edge:
    """Nginx and router, running."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.directory = directory
        self.place = Place()
        self.https, self.http, self.router, self.metrics, status, peer, self.admin = self.place.ports[:7]
        catalogue = environment(directory).catalogue
        ports = {service.port: service.name for service in catalogue.services.values()}
        self.played = Played(ports, self.place.network)
        self.played.start()
        timeouts = {**dict.fromkeys(catalogue.services, ANSWER_MS), **settings.pop("router_timeouts_ms", {})}
        self.settings: dict[str, Any] = {
            "router_timeouts_ms": timeouts,
            "nginx_https_port": self.https,
            "nginx_http_port": self.http,
            "nginx_status_port": status,
            "nginx_listen_addresses": [ADDRESS],
            "nginx_pid_file": str(directory / "nginx.pid"),
            "nginx_log_directory": str(directory),
            "nginx_user": "root",  # which may read below a test's directory
            "frontend_directory": str(directory / "front_ends"),
            "frontend_build_directory": str(directory / "builds"),
            "nginx_certificate": str(directory / "leaf.pem"),
            "nginx_certificate_key": str(directory / "leaf.key"),
            "nginx_http2_directive": _nginx_version() >= (1, 25, 1),
            "router_port": self.router,
            "router_metrics_port": self.metrics,
            "router_peer_port": peer,
            "router_admin_port": self.admin,
            "router_state_file": str(directory / "haproxy.state"),
            "router_resolver": f"{self.played.addresses[0]}:{self.played.dns_port}",
            "router_check_interval_ms": INTERVAL_MS,
            "router_connect_timeout_ms": CONNECT_MS,
            "router_connections": 500,
            "router_user": "haproxy",
            "nginx_tuning": {"worker_processes": 2, "worker_rlimit_nofile": 4096, "worker_connections": 1024},
            "edge_unlimited_networks": [f"{UNLIMITED}/32"],
            **settings,
        }
        self.env = environment(directory, **self.settings)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Write the configurations and start both; returns once every service is reachable."""
        leaf = self.env.tls.leaf([DOMAIN, f"api.{DOMAIN}", f"*.{DOMAIN}", ADDRESS])
        (self.directory / "leaf.pem").write_text(leaf.certificate)
        (self.directory / "leaf.key").write_text(leaf.key)
        self._write_nginx()
        self.write_router()
        config = str(self.directory / "nginx" / "nginx.conf")
        self._check("nginx", "-t", "-q", "-c", config)
        self._check("haproxy", "-c", "-q", "-f", str(self.directory / "haproxy.cfg"))
        self._run("haproxy", "-W", "-db", "-f", str(self.directory / "haproxy.cfg"))
        self._run("nginx", "-c", config, "-g", "daemon off;")
        wait_until(lambda: all(self.ask_router(name).status == 200 for name in self.env.catalogue.services), "router")
        wait_until(lambda: self.get("/health").status == 200, "nginx")

    def _write_nginx(self) -> None:
        current = self.directory / "current"  # of role acme, if that is on
        current.mkdir(exist_ok=True)
        for name, source in (("certificate.pem", "leaf.pem"), ("key.pem", "leaf.key")):
            shutil.copy(self.directory / source, current / name)
        for file in plan(self.env, self.env.hosts[0]).files:
            if file.path.startswith(ACME):
                (current / Path(file.path).name).write_bytes(file.data)
                continue
            path = self.directory / "nginx" / Path(file.path).relative_to(DIRECTORY)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data.replace(CURRENT.encode(), str(current).encode()))
        shutil.copy("/etc/nginx/mime.types", self.directory / "nginx")
        for file in front_end_plan(self.env, self.env.hosts[0]).files:
            Path(file.path).parent.mkdir(parents=True, exist_ok=True)
            Path(file.path).write_bytes(file.data)

    def write_router(self, kept: dict[str, Any] | None = None, **settings: Any) -> str:
        """Write the router's configuration with these changed settings and kept values; its hash."""
        env = environment(self.directory, **{**self.settings, **settings})
        config, stamp = router_configuration(env.with_facts(env.hosts, {}, kept))
        planned = f"timeout check {env.catalogue.gateway.timeouts_ms.health_check}ms"
        assert planned in config
        patient = config.replace(planned, f"timeout check {ANSWER_MS}ms")
        (self.directory / "haproxy.cfg").write_text(patient)
        return stamp

    def reload_router(self) -> None:
        """As on a host: save the state of the tasks, then send a signal to the master.

        The master restarts itself once its workers started, and loses a signal at that moment, so it is sent again.
        """
        known = {"admin_port": self.settings["router_admin_port"], "state_file": self.settings["router_state_file"]}
        text = run(["bash", "-c", state.READ.format(**known)])
        run(["bash", "-c", state.WRITE.format(**known)], input=state.tasks_first(text))
        log, begun = self.directory / "haproxy.log", "Reloading HAProxy"
        before, tries = log.read_text().count(begun), 0
        while log.read_text().count(begun) == before:
            assert tries < TRIES, f"HAProxy's master does not reload: {log.read_text()[-2000:]}"
            tries += 1
            self.processes[0].send_signal(signal.SIGUSR2)
            with contextlib.suppress(AssertionError):
                wait_until(lambda: log.read_text().count(begun) > before, "a reload", SECONDS / TRIES)

    def _check(self, *argv: str) -> None:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "[warn]" not in done.stderr, done.stderr
        assert "WARNING" not in done.stderr, done.stderr

    def _run(self, *argv: str) -> None:
        log = (self.directory / f"{argv[0]}.log").open("wb")
        self.processes.append(subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True))

    def stop(self) -> None:
        """Stop everything that was started."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(SECONDS)
        self.played.stop()
        self.place.close()

    def tls(self) -> ssl.SSLContext:
        """A TLS context that trusts only the environment's CA."""
        return ssl.create_default_context(cadata=self.env.tls.certificate)

    def get(self, path: str, **options: Any) -> Answer:
        """GET over HTTPS."""
        return self.ask("GET", path, **options)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        host: str = DOMAIN,
        source: str = UNLIMITED,
    ) -> Answer:
        """A request over HTTPS on its own connection."""
        connection = Secure(host, self.https, self.tls(), source)
        return answered(connection, method, path, body, {"Host": host, **(headers or {})})

    def tell_router(self, command: str) -> str:
        """The answer of the router's worker to a HAProxy command."""
        with socket.create_connection(("127.0.0.1", self.admin), SECONDS) as session:
            session.sendall(f"{command}\n".encode())
            return session.makefile().read()

    def ask_router(
        self,
        service: str | None,
        method: str = "GET",
        path: str = "/x",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """A request to the router itself."""
        named = {} if service is None else {"X-Nexus-Service": service}
        connection = http.client.HTTPConnection(ADDRESS, self.router, timeout=SECONDS)
        return answered(connection, method, path, body, {**named, **(headers or {})})


def _nginx_version() -> tuple[int, ...]:
    text = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    match = re.search(r"nginx/([0-9.]+)", text)
    assert match, text
    return tuple(int(part) for part in match[1].split("."))


@contextlib.contextmanager
def running(directory: Path, **settings: Any) -> Iterator[Edge]:
    """A running edge, which is always stopped."""
    edge = Edge(directory, **settings)
    try:
        edge.start()
        yield edge
    finally:
        edge.stop()
