"""Edge hosts in directories, with the real programs of role acme.

An edge host is a small server in place of Nginx: it answers challenges, shows the certificate that is in place, and
hands each connection to its door to the program, as systemd does. Only systemctl is a fake.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Unit
from roles.acme import account
from roles.acme.host.places import CONFIG, EDGE_CONFIG, LIBRARY
from roles.acme.host.renewer import network
from roles.acme.plan import first_certificate, plan
from roles.certificate.plan import clients_pair

DOMAIN = "nexuscos.example.com"
SYSTEMCTL = f"""#!{sys.executable}
import os, sys
place, verb = os.environ["PLACE"], sys.argv[1]
if verb == "show":
    names = sys.argv[2].removeprefix("--property=").split(",")
    known = dict(Id=sys.argv[-1], LoadState="loaded", ActiveState="active", SubState="running")
    print("\\n".join(f"{{one}}={{known.get(one, '')}}" for one in names))
    sys.exit()
if os.path.exists(f"{{place}}/refuses"):
    sys.exit("Nginx refuses")
with open(f"{{place}}/done", "a") as done:
    done.write(f"{{verb}}\\n")
"""


def install(env: Environment, host: Host, place: Path) -> None:
    """The planned files of the role below a directory; paths in programs lead there too."""
    for name in ("etc", "run/stamp", "units/nginx.service.d", "state", "bin"):
        (place / name).mkdir(parents=True, exist_ok=True)
    moved = {
        "/etc/nexus-cos": f"{place}/etc",
        "/run/nexus-cos": f"{place}/run",
        "/etc/systemd/system": f"{place}/units",
        "/var/lib/nexus-acme": f"{place}/state",
        f"WAITS = {network.WAITS}": f"WAITS = {(0.05,) * len(network.WAITS)}",
    }
    for file in plan(env, host).files:
        if file.path.startswith(LIBRARY):
            path = place / "lib" / Path(file.path).relative_to(LIBRARY)
        elif file.path in (CONFIG, EDGE_CONFIG):
            path = place / Path(file.path).name
        else:
            continue
        text = file.data.decode()
        for before, after in moved.items():
            text = text.replace(before, after)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    tls = place / "etc/tls"
    tls.mkdir(exist_ok=True)
    leaf = env.tls.leaf([host.name, host.address])
    for name, text in (("ca.pem", env.tls.certificate), ("leaf.pem", leaf.certificate), ("leaf.key", leaf.key)):
        (tls / name).write_text(text)
    program = place / "bin/systemctl"
    program.write_text(SYSTEMCTL)
    program.chmod(0o755)


class EdgeHost:
    """An edge host. `refuse` lets its Nginx refuse a reload; `stop` takes it away."""

    def __init__(self, env: Environment, host: Host, place: Path) -> None:
        self.env, self.host, self.place = env, host, place
        install(env, host, place)
        self.current = place / "etc/acme/current"
        own = place / "etc/acme/internal"
        own.mkdir(parents=True)
        for link in first_certificate(env, host).links:
            (own / Path(link.path).name).symlink_to(link.target.replace("/etc/nexus-cos", f"{place}/etc"))
        (own / "public.conf").write_bytes(first_certificate(env, host).files[0].data)
        self.current.symlink_to("internal")
        read = [path.replace("/etc/nexus-cos", f"{place}/etc") for path in clients_pair(host)]
        unit = Unit("nginx.service", reload_on=tuple(read))
        drop_in = place / "units/nginx.service.d/50-nexus-cos.conf"
        drop_in.write_text(f"[X-Nexus-COS]\nUnit={json.dumps(asdict(unit))}\n")
        stamp = [f"{hashlib.sha256(Path(path).read_bytes()).hexdigest()}  {path}\n" for path in read]
        (place / "run/stamp/nginx.service").write_text("".join(stamp))
        self.thumbprint, self.challenges = account.thumbprint(env), 0
        self.stopped = threading.Event()
        self.sockets: list[socket.socket] = []
        self.start()

    def start(self) -> None:
        """Listen on all three ports."""
        setting, address = self.env.setting, self.host.address
        self.stopped.clear()
        self.web = _Web((address, setting.nginx_http_port), self)
        ports = {setting.nginx_https_port: self._show, setting.acme_port: self._receive}
        for port, answer in ports.items():
            listener = socket.create_server((address, port))
            self.sockets.append(listener)
            threading.Thread(target=self._serve, args=(listener, answer), daemon=True).start()

    def stop(self) -> None:
        """Answer nothing any more."""
        self.stopped.set()
        self.web.shutdown()
        self.web.server_close()
        for listener in self.sockets:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.sockets.clear()

    def refuse(self, refuses: bool) -> None:
        """Let Nginx refuse a reload, or no longer."""
        path = self.place / "refuses"
        path.touch() if refuses else path.unlink()

    def reloads(self) -> int:
        """How many times Nginx was reloaded."""
        path = self.place / "done"
        return path.read_text().count("reload") if path.exists() else 0

    @property
    def public(self) -> bool:
        """Whether the certificate in place is a public one, as Nginx reads it for HSTS."""
        return "default 1;" in (self.current / "public.conf").read_text()

    def serial(self) -> str:
        """The serial that a client sees, which trusts no authority."""
        from cryptography import x509

        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        place = (self.host.address, self.env.setting.nginx_https_port)
        with socket.create_connection(place, 10) as raw, context.wrap_socket(raw, server_hostname=DOMAIN) as session:
            return f"{x509.load_der_x509_certificate(session.getpeercert(True) or b'').serial_number:x}"

    def _serve(self, listener: socket.socket, answer: Any) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def _show(self, connection: socket.socket) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        with contextlib.suppress(OSError), connection:
            context.load_cert_chain(self.current / "certificate.pem", self.current / "key.pem")
            with context.wrap_socket(connection, server_side=True) as session:
                session.recv(1)

    def _receive(self, connection: socket.socket) -> None:
        words = [sys.executable, "-B", "-m", "roles.acme.host.receive", str(self.place / "acme-edge.json")]
        with connection:
            done = subprocess.run(
                words, stdin=connection.fileno(), env=environ(self.place), cwd="/", capture_output=True
            )
        with (self.place / "door.log").open("ab") as log:
            log.write(done.stdout + done.stderr)


class _Web(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, place: tuple[str, int], edge: EdgeHost) -> None:
        super().__init__(place, _Challenge)
        self.edge = edge
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class _Challenge(BaseHTTPRequestHandler):
    server: _Web

    def do_GET(self) -> None:
        edge = self.server.edge
        edge.challenges += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.path.rpartition('/')[2]}.{edge.thumbprint}".encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def environ(place: Path) -> dict[str, str]:
    """The environment of a host's programs."""
    path = f"{place / 'bin'}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PLACE": str(place), "PYTHONPATH": str(place / "lib")}
