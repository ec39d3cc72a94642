"""The certificate that a port shows to anyone who connects from its host, asked without trusting it."""

from __future__ import annotations

import socket
import ssl
import struct
import tempfile

from control import Control
from cryptography import x509
from inside import inside

from nexus.pki.ca import Authority
from roles.certificate.door import Door
from roles.certificate.plan import ETCD_LEAF

SECONDS = 30  # object storage restarts for 17 s, and its socket keeps clients waiting
ASK_FOR_TLS = struct.pack("!ii", 8, 80877103)  # SSLRequest of PostgreSQL's protocol


class Served:
    """Asks ports with our own certificate, which nodes of etcd and RabbitMQ require."""

    def __init__(self, control: Control) -> None:
        env = self._env = control.planned
        self._control = control
        self._etcd = _client(env.authority("etcd", f"{env.name} etcd")) if env.group("etcd") else None
        self._other = _client(env.tls)

    def ask(self, door: Door) -> x509.Certificate:
        """The certificate that a daemon shows now; OSError if it does not answer."""
        context = self._etcd if self._etcd and door.leaf == ETCD_LEAF else self._other
        name = next(host.name for host in self._env.hosts if host.address == door.address)
        with inside(self._control, name):
            raw = socket.create_connection((door.address, door.port), timeout=SECONDS)
        with raw:
            if door.asks_first:
                raw.sendall(ASK_FOR_TLS)
                if raw.recv(1) != b"S":
                    raise OSError(f"{door} at {door.address} does not speak TLS")
            with context.wrap_socket(raw, server_hostname=door.address) as session:
                shown = session.getpeercert(binary_form=True)
        if not shown:
            raise OSError(f"{door} at {door.address} shows no certificate")
        return x509.load_der_x509_certificate(shown)


def _client(authority: Authority) -> ssl.SSLContext:
    """A TLS context that trusts any server and shows a leaf."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    leaf = authority.leaf(["tests"])
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(leaf.certificate + leaf.key)
        file.flush()
        context.load_cert_chain(file.name)
    return context
