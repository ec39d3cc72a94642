"""Runs on a host: log-ins at its Redis and Sentinel over TLS, what each user would be let do, who is primary.

What would change or delete anything is asked with ACL DRYRUN: Redis says whether it would, and does not.
"""

import socket
import ssl

SECONDS = 10


class Error(Exception):
    """An error reply."""


class Client:
    """One connection that speaks Redis's protocol."""

    def __init__(self, sock):
        self.sock, self.stream = sock, sock.makefile("rb")

    def __call__(self, *words):
        parts = b"".join(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words)
        self.sock.sendall(b"*%d\r\n%s" % (len(words), parts))
        return self.reply()

    def reply(self):
        line = self.stream.readline()
        if not line:
            raise ConnectionError("closed")
        kind, rest = line[:1], line[1:].rstrip().decode()
        if kind == b"-":
            raise Error(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == "-1" else self.stream.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        return rest


def ask(request):
    """Answers of each server by its name, and of the Sentinel for each."""
    instances = {name: ask_server({**request, **own}) for name, own in request["instances"].items()}
    return {"instances": instances, "sentinel": ask_sentinel(request)}


def over_tls(request, port):
    """A connection as a client of the network makes it."""
    tls = ssl.create_default_context(cafile=request["ca"])
    sock = socket.create_connection((request["address"], port), timeout=SECONDS)
    return Client(tls.wrap_socket(sock, server_hostname=request["address"]))


def ask_sentinel(request):
    """The primary of each instance and whether a majority could replace it, asked as who may ask only that."""
    one = over_tls(request, request["sentinel_port"])
    one("AUTH", *request["health"])
    admin = over_tls(request, request["sentinel_port"])
    admin("AUTH", *request["admin"])
    names = {name: own["master"] for name, own in request["instances"].items()}
    return {
        "primary": {name: one("SENTINEL", "get-master-addr-by-name", known)[0] for name, known in names.items()},
        "quorum": {name: said(lambda m=known: admin("SENTINEL", "CKQUORUM", m)) for name, known in names.items()},
        "replicas": {name: len(admin("SENTINEL", "REPLICAS", known)) for name, known in names.items()},
        "more": said(lambda: one("SENTINEL", "MASTERS")),
        "stranger": said(lambda: over_tls(request, request["sentinel_port"])("SENTINEL", "MASTERS")),
    }


def ask_server(request):
    """Log-ins, dry runs {user: {command: reply}}, users that there are, what strangers are told, and its role."""

    def client():
        return over_tls(request, request["port"])

    logins = {}
    for user, password in request["logins"].items():
        one = client()
        logins[user] = said(lambda one=one, user=user, pw=password: [one("AUTH", user, pw), one("PING")][1])
    inside = socket.socket(socket.AF_UNIX)
    inside.settimeout(SECONDS)
    inside.connect(request["socket"])
    admin = Client(inside)
    admin("AUTH", *request["admin"])
    trials = {
        user: {command: said(lambda u=user, c=command: admin("ACL", "DRYRUN", u, *c.split())) for command in commands}
        for user, commands in request["trials"].items()
    }
    return {
        "logins": logins,
        "trials": trials,
        "users": admin("ACL", "USERS"),
        "role": admin("ROLE"),
        "limits": pairs(admin("CONFIG", "GET", "min-replicas-*", "append*")),
        "stranger": said(lambda: client()("PING")),
        "wrong password": said(lambda: client()("AUTH", next(iter(request["logins"]), "nobody"), "wrong")),
        "plain text": plain(request),
    }


def pairs(reply):
    """A flat list of names and values as what it means."""
    return dict(zip(reply[::2], reply[1::2], strict=True))


def said(call):
    """The reply, or the text of the error."""
    try:
        return call()
    except Error as error:
        return f"error: {error}"
    except OSError as error:
        return f"no connection: {type(error).__name__}: {error}"


def plain(request):
    """What a client without TLS is told."""
    try:
        sock = socket.create_connection((request["address"], request["port"]), timeout=3)
        return f"answered: {Client(sock)('PING')}"
    except Error as error:
        return f"answered: {error}"
    except (OSError, ValueError) as error:
        return f"refused: {type(error).__name__}"
