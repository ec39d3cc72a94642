"""Runs on a host: whether its daemons show the certificate that lies on disk, and what is prepared there.

A node of RabbitMQ reads a new one up to two minutes later, and is asked for as long as that.
"""

import hashlib
import json
import os
import socket
import ssl
import struct
import time

PREPARED = "/etc/nexus-cos/tls/prepared.json"
SECONDS, LATE_SECONDS, PAUSE_SECONDS = 30, 130, 5
ASK_FOR_TLS = struct.pack("!ii", 8, 80877103)  # SSLRequest of PostgreSQL's protocol


def ask(request):
    """{"doors": {name: [digest of what is shown or an error, digest of the file]}, "prepared": [when each ends]}."""
    deadline = time.monotonic() + LATE_SECONDS
    while True:
        doors = {door["name"]: [shown(door), on_disk(door["file"])] for door in request["doors"]}
        late = [name for name, (there, wanted) in doors.items() if there != wanted and name.startswith("rabbitmq")]
        if not late or time.monotonic() > deadline:
            return {"doors": doors, "prepared": prepared(), "mode": oct(os.stat(PREPARED).st_mode & 0o7777)}
        time.sleep(PAUSE_SECONDS)


def shown(door):
    """SHA-256 of the certificate that a port shows to anyone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(*door["own"])  # nodes of etcd and RabbitMQ want to see one, too
    try:
        with socket.create_connection((door["address"], door["port"]), timeout=SECONDS) as raw:
            if door["asks first"]:
                raw.sendall(ASK_FOR_TLS)
                raw.recv(1)
            with context.wrap_socket(raw) as session:
                return hashlib.sha256(session.getpeercert(binary_form=True) or b"").hexdigest()
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def on_disk(path):
    """SHA-256 of the first certificate of a file."""
    with open(path) as stream:
        first = stream.read().partition("-----END CERTIFICATE-----")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first[0] + first[1])).hexdigest()


def prepared():
    """When the last prepared leaf of each pair ends."""
    with open(PREPARED) as stream:
        return [pair["leaves"][-1]["ends"] for pair in json.load(stream)["pairs"]]
