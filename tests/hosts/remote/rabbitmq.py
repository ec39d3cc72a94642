"""Runs on a host: AMQP logins at its broker over TLS, each to one virtual host. Opens and closes, no more."""

import socket
import ssl
import struct
from concurrent.futures import ThreadPoolExecutor

SECONDS = 15
START, START_OK, TUNE, TUNE_OK, OPEN, OPEN_OK, CLOSE = (10, 11, 30, 31, 40, 41, 50)


def ask(request):
    """{name: "open" or why not} of each login, and the answer to a client without TLS."""
    tls = ssl.create_default_context(cafile=request["ca"])
    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(lambda login: attempt(request, tls, *login), request["logins"].values()))
    return {"logins": dict(zip(request["logins"], told, strict=True)), "plain text": plain(request)}


def attempt(request, tls, user, password, vhost):
    """How one login ends."""
    try:
        with socket.create_connection((request["address"], request["port"]), timeout=SECONDS) as raw:
            sock = tls.wrap_socket(raw, server_hostname=request["address"])
            return talk(sock, sock.makefile("rb"), user, password, vhost)
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def talk(sock, stream, user, password, vhost):
    """The handshake of AMQP 0-9-1 up to the opened virtual host."""
    sock.sendall(b"AMQP\x00\x00\x09\x01")
    method, _ = receive(stream)
    if method != START:
        return f"begins with method {method}"
    closes = table({"authentication_failure_close": True})
    properties = table({"product": "verify", "capabilities": closes})
    response = f"\0{user}\0{password}".encode()
    send(sock, START_OK, long(properties) + short(b"PLAIN") + long(response) + short(b"en_US"))
    method, body = receive(stream)
    if method == CLOSE:
        return reason(body)
    if method != TUNE:
        return f"method {method} in place of tune"
    send(sock, TUNE_OK, body[:8])
    send(sock, OPEN, short(vhost.encode()) + short(b"") + b"\x00")
    method, body = receive(stream)
    if method == CLOSE:
        return reason(body)
    send(sock, CLOSE, struct.pack(">H", 200) + short(b"bye") + struct.pack(">HH", 0, 0))
    receive(stream)
    return "open" if method == OPEN_OK else f"method {method} in place of open-ok"


def receive(stream):
    """Method and arguments of the next frame of the connection."""
    head = stream.read(7)
    if len(head) < 7:
        raise ConnectionError("the broker closed the connection")
    if head[:4] == b"AMQP":
        raise ConnectionError("the broker speaks another version")
    _, _, size = struct.unpack(">BHI", head)
    frame = stream.read(size + 1)[:-1]
    group, method = struct.unpack(">HH", frame[:4])
    return (method if group == 10 else -1), frame[4:]


def send(sock, method, arguments):
    body = struct.pack(">HH", 10, method) + arguments
    sock.sendall(struct.pack(">BHI", 1, 0, len(body)) + body + b"\xce")


def short(text):
    return bytes([len(text)]) + text


def long(text):
    return struct.pack(">I", len(text)) + text


def table(values):
    """Fields of a table; the caller puts the length before it."""
    kinds = {bool: lambda v: b"t" + bytes([v]), str: lambda v: b"S" + long(v.encode()), bytes: lambda v: b"F" + long(v)}
    return b"".join(short(name.encode()) + kinds[type(value)](value) for name, value in values.items())


def reason(body):
    return f"{struct.unpack('>H', body[:2])[0]} {body[3 : 3 + body[2]].decode()}"


def plain(request):
    """What a client without TLS is told."""
    try:
        with socket.create_connection((request["address"], request["port"]), timeout=3) as sock:
            sock.sendall(b"AMQP\x00\x00\x09\x01")
            answer = sock.recv(64)
            return f"answered: {answer[:8]!r}" if b"AMQP" in answer or answer[:1] == b"\x01" else "refused"
    except OSError as error:
        return f"refused: {type(error).__name__}"
