"""A fake of RabbitMQ's management API: an administrator keeps access while the password changes."""

from __future__ import annotations

import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from roles.rabbitmq.host.api import Api, Refused


class _Broker(BaseHTTPRequestHandler):
    """A management API with one password, and another one after a user was written."""

    password = "old"

    def do_GET(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.answer():
            type(self).password = "new"

    def answer(self) -> bool:
        wanted = b64encode(f"nexus-admin:{self.password}".encode()).decode()
        known = self.headers["Authorization"] == f"Basic {wanted}"
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")
        return known

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_an_administrator_keeps_access_during_the_change() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Broker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        api = Api({"port": server.server_port, "user": "nexus-admin", "passwords": ["new", "old"]})
        assert api.get("users") == []
        api.put({"password_hash": "x"}, "users", "nexus-admin")
        assert api.get("users") == []  # with the new password
        api = Api({"port": server.server_port, "user": "nexus-admin", "passwords": ["older"]})
        with pytest.raises(Refused, match="answered 401"):
            api.get("users")
    finally:
        server.shutdown()
