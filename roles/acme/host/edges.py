"""Runs on an ops host: edge hosts as clients see them, and the door where they take a certificate."""

import json
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from nexus.agent.lib import RemoteError
from nexus.agent.tls import mutual

SECONDS = 5
DELIVERY_SECONDS = 60  # the start of a program there, the host's turn, the check by Nginx, and its reload
LOOK = "journalctl -u nexus-acme-edge.socket -u 'nexus-acme-edge@*' there"
MOST = 1 << 20  # bytes of an answer

PARTS = ("chain", "key", "authority")

Config = Mapping[str, Any]
Pair = Mapping[str, str]  # PEM of the chain and of the key, and the directory of the authority


def of_each(config: Config, ask: Callable[[str], Any]) -> dict[str, Any]:
    """{edge host: answer}, or the error in place of an answer; all hosts at the same time."""

    def asked(name: str) -> Any:
        try:
            return ask(name)
        except (OSError, RemoteError) as error:
            return RemoteError(str(error))

    names = list(config["edges"])
    with ThreadPoolExecutor(len(names) or 1) as workers:
        return dict(zip(names, workers.map(asked, names), strict=True))


def shown(config: Config, name: str) -> bytes:
    """The certificate that an edge host shows to clients, DER; OSError if it shows none."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # which one it is, is the question
    with (
        socket.create_connection((config["edges"][name], config["https_port"]), timeout=SECONDS) as raw,
        context.wrap_socket(raw, server_hostname=config["names"][0]) as session,
    ):
        return session.getpeercert(binary_form=True) or b""


def deliver(config: Config, name: str, pair: Pair) -> None:
    """Give an edge host the certificate; RemoteError with its reason if it does not take it."""
    _ask(config, name, {"do": "take", **{part: pair[part] for part in PARTS}})


def kept(config: Config, name: str) -> Pair:
    """The certificate that an edge host has; RemoteError if it has none."""
    answer = _ask(config, name, {"do": "give"})
    return {part: str(answer[part]) for part in PARTS}


def _ask(config: Config, name: str, request: Mapping[str, str]) -> Mapping[str, Any]:
    tls = config["tls"]
    place = (config["edges"][name], config["port"])
    try:
        context = mutual(tls["ca"], tls["certificate"], tls["key"])
        with socket.create_connection(place, timeout=SECONDS) as raw:
            raw.settimeout(DELIVERY_SECONDS)
            with context.wrap_socket(raw, server_hostname=place[0]) as session, session.makefile("rb") as stream:
                session.sendall(json.dumps(request).encode() + b"\n")
                line = stream.readline(MOST)
        answer = json.loads(line) if line else {"error": f"it ended the connection: {LOOK}"}
    except (OSError, ValueError) as error:
        raise RemoteError(f"no answer at port {place[1]}: {error}: {LOOK}") from None
    if "error" in answer:
        raise RemoteError(answer["error"])
    return dict(answer)
