"""How the host-side code asks MongoDB: by the vendor's shell over TLS.

Requests, passwords among them, go to the shell over standard input.
"""

import json
import shutil
import socket
from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import run

Item = Mapping[str, Any]

# What every script begins with: the request, and connections as the administrator.
COMMON = """
const request = JSON.parse(require("fs").readFileSync(0, "utf8"));
const own = `127.0.0.1:${request.port}`;
function url(hosts, more) {
  return `mongodb://${hosts}/admin?tls=true&serverSelectionTimeoutMS=5000&tlsCAFile=` +
    encodeURIComponent(request.ca) + more;
}
function alone(host) {
  return connect(url(host, "&directConnection=true"));
}
function login(server) {
  server.auth({user: request.user, pwd: request.password});
  return server;
}
function primary(hosts) {
  return login(connect(url(hosts.join(","), `&replicaSet=${request.set}`)));
}
"""


def installed() -> bool:
    """Whether the vendor's shell is here, so that anything can be asked."""
    return shutil.which("mongosh") is not None


def shell(script: str, context: Item, **request: Any) -> dict[str, Any]:
    """Carry out a script after COMMON; the JSON that it prints."""
    argv = ["mongosh", "--nodb", "--norc", "--quiet", "--eval", COMMON + script]
    answer: dict[str, Any] = json.loads(run(argv, input=json.dumps({**context, **request}), timeout=600))
    return answer


def listening(address: str) -> bool:
    """Whether anything accepts connections at HOST:PORT."""
    host, port = address.rsplit(":", 1)
    with socket.socket() as client:
        client.settimeout(2)
        return client.connect_ex((host, int(port))) == 0
