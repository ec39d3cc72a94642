"""Runs on a host as a service would: writes and records what was acknowledged and when, or checks which keys exist.

Each write has its own key. A write without the answer OK counts as not acknowledged.
"""

import json
import socket
import ssl
import threading
import time

asked = json.loads("ARGUMENT")
trust = ssl.create_default_context(cafile=asked["ca"])


class Refused(Exception):
    """An error reply, such as READONLY or NOREPLICAS."""


class Client:
    def __init__(self):
        raw = socket.create_connection((asked["address"], asked["port"]), timeout=2)
        self.sock = trust.wrap_socket(raw, server_hostname=asked["address"])
        self.stream = self.sock.makefile("rb")
        self("AUTH", asked["user"], asked["password"])

    def __call__(self, *words):
        parts = [str(word).encode() for word in words]
        self.sock.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        line = self.stream.readline()
        if line[:1] == b"-":
            raise Refused(line.decode())
        if not line:
            raise ConnectionError("closed")
        if line[:1] == b"$" and line[1:3] != b"-1":
            self.stream.read(int(line[1:]) + 2)
        return line.rstrip()


def write(number, acknowledged, refusals, end):
    """Write until the end; after a failure or refusal it reconnects, as a client library does."""
    client, count = None, 0
    while time.time() < end:
        count += 1
        try:
            client = client or Client()
            client("SET", f"{asked['prefix']}{number}:{count}", "x" * 100, "EX", 3600)
            acknowledged.append((f"{number}:{count}", time.time()))
            time.sleep(asked.get("pause", 0.005))
        except (OSError, Refused) as error:
            kind = str(error).split()[0].lstrip("-") if isinstance(error, Refused) else type(error).__name__
            refusals[kind] = refusals.get(kind, 0) + 1
            client = None
            time.sleep(0.05)


def load():
    """All acknowledged writes, as [key, time], and all refusals."""
    acknowledged, refusals, end = [], {}, time.time() + asked["seconds"]
    threads = [threading.Thread(target=write, args=(n, acknowledged, refusals, end)) for n in range(asked["writers"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"acknowledged": sorted(acknowledged, key=lambda entry: entry[1]), "refusals": refusals}


def missing():
    """Keys that are missing."""
    client = Client()
    return [key for key in asked["keys"] if client("EXISTS", f"{asked['prefix']}{key}") != b":1"]


print(json.dumps({"load": load, "missing": missing}[asked["do"]]()))
