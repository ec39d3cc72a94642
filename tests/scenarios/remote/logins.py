"""Runs on a data host: which logins its stores accept. Prints {name: "" or the refusal}.

Comes after tests/hosts/remote/rabbitmq.py, which speaks the broker's protocol.
"""

import base64
import http.client
import json
import os
import socket
import ssl
import subprocess

asked = json.loads("ARGUMENT")
trust = ssl.create_default_context(cafile=asked["ca"])


def postgresql(door):
    where = " ".join(
        [
            f"host={door['address']} port={door['port']} user={door['user']} dbname={door['database']}",
            f"connect_timeout=10 sslmode=verify-full sslrootcert={asked['ca']}",
        ]
    )
    words = ["psql", "-XAtq", "-d", where, "-c", "select 1"]
    environment = {**os.environ, "PGPASSWORD": door["password"]}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=30, check=False)
    return done.stderr.strip() if done.returncode else ""


def redis(door):
    with socket.create_connection((door["address"], door["port"]), timeout=10) as plain:
        secure = trust.wrap_socket(plain, server_hostname=door["address"])
        secure.sendall(f"AUTH {door['user']} {door['password']}\r\n".encode())
        said = secure.recv(200).decode()
    return "" if said.startswith("+OK") else said.strip()


def rabbitmq(door):
    said = attempt(door, trust, door["user"], door["password"], door["vhost"])  # noqa: F821 - of the other file
    return "" if said == "open" else said


def management(door):
    connection = http.client.HTTPConnection("127.0.0.1", door["port"], timeout=10)
    token = base64.b64encode(f"{door['user']}:{door['password']}".encode()).decode()
    connection.request("GET", "/api/whoami", headers={"Authorization": f"Basic {token}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    return "" if answer.status == 200 else f"{answer.status} {text}"


def registry(door):
    connection = http.client.HTTPSConnection(door["address"], door["port"], context=trust, timeout=10)
    token = base64.b64encode(f"{door['user']}:{door['password']}".encode()).decode()
    connection.request("GET", "/v2/", headers={"Authorization": f"Basic {token}"})
    answer = connection.getresponse()
    return "" if answer.status == 200 else f"{answer.status} {answer.read().decode()[:200]}"


KINDS = {"postgresql": postgresql, "redis": redis, "rabbitmq": rabbitmq, "management": management, "registry": registry}
print(json.dumps({name: KINDS[door["kind"]](door) for name, door in asked["doors"].items()}))
