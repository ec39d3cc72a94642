"""Runs on a host that runs services: logins through the proxy on it, as a service there would make them.

Such a host has no client of PostgreSQL, so this module has the few messages that are needed.
"""

import functools
import hashlib
import hmac
import os
import socket
import ssl
import struct
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor

TLS_PLEASE, PROTOCOL = 80877103, 196608
WHO = "select session_user, current_user, current_database(), pg_is_in_recovery()"


trusting = functools.cache(lambda ca: ssl.create_default_context(cafile=ca))


class Refused(Exception):
    """What the server, or the pooler before it, said in refusal."""


class Session:
    """One session over verified TLS with SCRAM."""

    def __init__(self, address, port, user, password, database, ca, seconds=10):
        self.notices = []
        plain = socket.create_connection((address, port), timeout=seconds)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.sendall(struct.pack("!II", 8, TLS_PLEASE))
            if plain.recv(1) != b"S":
                raise Refused("no TLS there")
            self.sock = trusting(ca).wrap_socket(plain, server_hostname=address)
        except BaseException:
            plain.close()
            raise
        self.stream = self.sock.makefile("rb")
        words = f"user\0{user}\0database\0{database}\0\0".encode()
        self.sock.sendall(struct.pack("!II", 8 + len(words), PROTOCOL) + words)
        self._log_in(password)

    def query(self, text):
        """Rows of a statement, as lists of text."""
        self._send(b"Q", text.encode() + b"\0")
        rows, refusal = [], None
        while True:
            kind, body = self._message()
            if kind == b"D":
                rows.append(_row(body))
            elif kind == b"E":
                refusal = _said(body)
            elif kind == b"Z":
                break
        if refusal:
            raise Refused(refusal)
        return rows

    def close(self):
        self.stream.close()
        self.sock.close()

    def _log_in(self, password):
        nonce = b64encode(os.urandom(18)).decode()
        first = f"n=,r={nonce}"
        expected = b""
        while True:
            kind, body = self._message()
            if kind == b"E":
                raise Refused(_said(body))
            if kind == b"Z":
                return
            if kind != b"R":
                continue
            (step,) = struct.unpack("!I", body[:4])
            if step == 10:
                text = f"n,,{first}".encode()
                self._send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(text)) + text)
            elif step == 11:
                answer, expected = _proof(password, first, body[4:].decode())
                self._send(b"p", answer.encode())
            elif step == 12 and b64decode(body[4:].decode().removeprefix("v=")) != expected:
                raise Refused("the server does not know the password either")
            elif step not in (0, 12):
                raise Refused(f"asks for login of kind {step}")

    def _send(self, kind, body):
        self.sock.sendall(kind + struct.pack("!I", 4 + len(body)) + body)

    def _message(self):
        head = self.stream.read(5)
        if len(head) < 5:
            raise ConnectionError("the connection was closed")
        body = self.stream.read(struct.unpack("!I", head[1:])[0] - 4)
        if head[:1] == b"N":
            self.notices.append(_said(body))
        return head[:1], body


def _proof(password, first, said):
    """The client's final message of RFC 5802, and the signature that the server has to give."""
    told = dict(part.split("=", 1) for part in said.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b64decode(told["s"]), int(told["i"]))
    key = hmac.digest(salted, b"Client Key", "sha256")
    final = f"c=biws,r={told['r']}"
    whole = f"{first},{said},{final}".encode()
    signature = hmac.digest(hashlib.sha256(key).digest(), whole, "sha256")
    proof = b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode()
    return f"{final},p={proof}", hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), whole, "sha256")


def _row(body):
    (count,) = struct.unpack("!H", body[:2])
    values, at = [], 2
    for _ in range(count):
        (length,) = struct.unpack("!i", body[at : at + 4])
        at += 4
        values.append(None if length < 0 else body[at : at + length].decode())
        at += max(0, length)
    return values


def _said(body):
    fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    return f"{fields.get(b'S', '')}: {fields.get(b'M', '')}"


def ask(request):
    """{way: {user: {"row"} or {"error"}}} for each way (a port of the proxy) and each login."""

    def attempt(way, login):
        user, password, database = login
        try:
            session = Session(request["address"], request["ways"][way], user, password, database, request["ca"])
            try:
                return {"row": session.query(WHO)[0]}
            finally:
                session.close()
        except (OSError, Refused) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    tasks = [(way, user, login) for way in request["ways"] for user, login in request["logins"][way].items()]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda task: attempt(task[0], task[2]), tasks))
    found: dict = {way: {} for way in request["ways"]}
    for (way, user, _), answer in zip(tasks, told, strict=True):
        found[way][user] = answer
    return found
