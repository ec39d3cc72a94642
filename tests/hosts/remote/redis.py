"""Runs on a host: log-ins at its Redis over TLS, and what each user would be let do.

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
    """Log-ins, dry runs {user: {command: reply}}, users that there are, and what strangers are told."""
    tls = ssl.create_default_context(cafile=request["ca"])

    def client():
        sock = socket.create_connection((request["address"], request["port"]), timeout=SECONDS)
        return Client(tls.wrap_socket(sock, server_hostname=request["address"]))

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
        "stranger": said(lambda: client()("PING")),
        "wrong password": said(lambda: client()("AUTH", next(iter(request["logins"]), "nobody"), "wrong")),
        "plain text": plain(request),
    }


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
