"""Runs on a host: its etcd as etcd's own client tells it, and what it says to those without the right certificate."""

import json
import os
import socket
import ssl
import subprocess


def ask(request):
    """Members, health of every endpoint, and whether a client without a certificate gets an answer."""
    files = {"CACERT": request["ca"], "CERT": request["certificate"], "KEY": request["key"]}
    env = {**os.environ, **{f"ETCDCTL_{name}": path for name, path in files.items()}}

    def said(*words):
        argv = ["etcdctl", f"--endpoints=https://{request['endpoint']}", "--write-out=json", *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, env=env)
        if not done.stdout:
            raise RuntimeError(f"etcdctl {' '.join(words)}: {done.stderr.strip()[-300:]}")
        return json.loads(done.stdout)

    members = said("member", "list")["members"]
    return {
        "members": {member["name"]: not member.get("isLearner", False) for member in members},
        "peers": {member["name"]: member["peerURLs"] for member in members},
        "healthy": [entry["health"] for entry in said("endpoint", "health", "--cluster")],
        "stranger": stranger(request),
    }


def stranger(request):
    """How a client that knows the CA and has no certificate fares."""
    address, port = request["endpoint"].rsplit(":", 1)
    context = ssl.create_default_context(cafile=request["ca"])
    try:
        plain = socket.create_connection((address, int(port)), timeout=10)
        with context.wrap_socket(plain, server_hostname=address) as sock:
            sock.sendall(b"GET /version HTTP/1.0\r\n\r\n")
            return sock.recv(100).decode(errors="replace")
    except (ssl.SSLError, ConnectionError) as error:
        return f"refused: {type(error).__name__}"
