"""Runs on an edge host: whether its Nginx answers with the files of front ends. Changes nothing."""

import hashlib
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, str]:
    """{front end: why it does not answer, or ""}.

    `context`: `front_ends` maps a name to {path: [status, sha256 or ""]}; `place` is {address, port, name, ca};
    `seconds` is the time for one answer.
    """
    wanted, connection = context["front_ends"], None
    found = {}
    for name in wanted:
        found[name] = ""
        for path, (status, sha256) in wanted[name].items():
            try:
                connection = connection or _connection(context["place"], context["seconds"])
                found[name] = _wrong(connection, context["place"]["name"], path, status, sha256)
                if connection.sock is None:  # Nginx ends a connection after a number of requests
                    connection = None
                if found[name]:
                    break
            except (OSError, HTTPException) as error:
                found[name] = f"{path} gets no answer: {error or type(error).__name__}"
                connection = None
                break
    if connection:
        connection.close()
    return found


def _connection(place: Mapping[str, Any], seconds: float) -> HTTPConnection:
    raw = socket.create_connection((place["address"], place["port"]), seconds)
    connection = HTTPConnection(place["name"])
    connection.sock = ssl.create_default_context(cafile=place["ca"] or None).wrap_socket(
        raw, server_hostname=place["name"]
    )
    return connection


def _wrong(connection: HTTPConnection, host: str, path: str, status: int, sha256: str) -> str:
    connection.request("GET", path, headers={"Host": host, "Accept": "text/html"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != status:
        return f"{path} answers {answer.status}, expected {status}"
    if sha256 and hashlib.sha256(body).hexdigest() != sha256:
        return f"{path} answers with other content than was built"
    return ""
