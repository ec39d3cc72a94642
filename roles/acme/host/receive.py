"""Runs on an edge host for each connection of an ops host: takes a certificate, or gives back the one that is there.

    python3 -m roles.acme.host.receive CONFIG    with the connection as standard input

One line of JSON comes and one goes, over mutual TLS. Only ops hosts are answered: the private key is in the line.
"""

import hashlib
import json
import os
import shutil
import socket
import ssl
import sys
import time
from collections.abc import Mapping
from typing import Any

from nexus.agent.file import read_text, write_atomic
from nexus.agent.lib import RemoteError, listing
from nexus.agent.turn import turn
from roles.acme.host.current import point
from roles.acme.host.places import AUTHORITY, CERTIFICATE, INTERNAL, KEY, PUBLIC
from roles.certificate.host import public
from roles.certificate.host.public import CURRENT, DIRECTORY
from roles.certificate.host.switch import switch

SECONDS = 30
MOST = 1 << 20  # bytes of a request
PUBLIC_TEXT = "default 1;\n"  # of a map of Nginx
TEXTS = {"chain": CERTIFICATE, "key": KEY, "authority": AUTHORITY}  # part of a request -> its file

Item = Mapping[str, Any]
Pair = Mapping[str, str]  # texts by part of the request


def main(path: str) -> int:
    """Answer one request; 1 where it was not carried out."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        config = json.load(stream)
    tls = config["tls"]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tls["ca"])
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(tls["certificate"], tls["key"])
    raw = socket.socket(fileno=0)
    raw.settimeout(SECONDS)
    try:
        with context.wrap_socket(raw, server_side=True) as session, session.makefile("rwb") as lines:
            answer = carried_out(config, session.getpeercert() or {}, lines.readline(MOST))
            lines.write(json.dumps(answer).encode() + b"\n")
            lines.flush()
    except OSError as error:
        print(f"no answer was possible: {error}", file=sys.stderr)
        return 1
    if "error" in answer:
        print(answer["error"], file=sys.stderr)
    return 1 if "error" in answer else 0


def carried_out(config: Item, peer: Item, line: bytes) -> dict[str, Any]:
    """The answer to a request, {"error": reason} where it is refused."""
    names = {str(value) for kind, value in peer.get("subjectAltName", ()) if kind == "DNS"}
    if not names & set(config["senders"]):
        client = ", ".join(sorted(names)) or "the client"
        return {"error": f"{client} is not an ops host of this environment: run deploys/edge.py"}
    try:
        pair = read(line)
    except (ValueError, KeyError, TypeError):
        return {"error": "the request is malformed: run deploys/edge.py"}
    try:
        if pair is None:
            return give()
        with turn(alone=True):
            return take(pair)
    except (RemoteError, OSError) as error:
        return {"error": str(error)}


def read(line: bytes) -> Pair | None:
    """The certificate of a request to take one; None for a request to give one."""
    request = json.loads(line)
    if request["do"] == "give":
        return None
    return {part: str(request[part]) for part in TEXTS}


def give() -> dict[str, Any]:
    """The public certificate that is there."""
    if os.path.basename(os.path.realpath(CURRENT)) == INTERNAL or not os.path.exists(CURRENT):
        return {"error": "it has no public certificate yet"}
    return {part: read_text(f"{CURRENT}/{name}") for part, name in TEXTS.items()}


def take(pair: Pair) -> dict[str, Any]:
    """Put a certificate in place and have Nginx load it; where it refuses, the former one is put back."""
    former = os.readlink(CURRENT) if os.path.islink(CURRENT) else INTERNAL
    name = hashlib.sha256(pair["chain"].encode()).hexdigest()[:16]
    write(name, {**{file: pair[part] for part, file in TEXTS.items()}, PUBLIC: PUBLIC_TEXT})
    point(name)
    if wrong := switch([], [public.CERTIFICATE, public.KEY], time.time()):
        point(former)
        if former != name:
            shutil.rmtree(f"{DIRECTORY}/{name}")
        return {"error": "\n".join(wrong)}
    prune({name, former, INTERNAL})
    return {"taken": name}


def write(name: str, texts: Mapping[str, str]) -> None:
    """A directory of a certificate, whole or not at all; RemoteError if the key is that of another certificate."""
    fresh = f"{DIRECTORY}/{name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    os.mkdir(fresh, 0o755)
    for file, text in texts.items():
        write_atomic(f"{fresh}/{file}", text.encode(), 0o600 if file == KEY else 0o644)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(f"{fresh}/{CERTIFICATE}", f"{fresh}/{KEY}")
    except ssl.SSLError as error:
        shutil.rmtree(fresh)
        raise RemoteError(f"the certificate and its key do not match: {error}") from None
    shutil.rmtree(f"{DIRECTORY}/{name}", ignore_errors=True)
    os.rename(fresh, f"{DIRECTORY}/{name}")


def prune(wanted: set[str]) -> None:
    """Remove certificates that are neither loaded nor the former one."""
    for name in listing(DIRECTORY):
        if name not in {*wanted, os.path.basename(CURRENT)}:
            shutil.rmtree(f"{DIRECTORY}/{name}", ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
