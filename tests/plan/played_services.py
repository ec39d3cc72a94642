"""Fake services and their DNS on loopback, behind a real edge."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Any

SECONDS = 60  # time for ports to open or close, on a busy machine


@dataclass
class Played:
    """Fake services and their DNS, in one thread, on the services' ports in a separate network."""

    ports: dict[int, str]
    network: str
    tasks: dict[str, list[str]] = field(default_factory=dict)  # addresses by service; by default the first
    seen: list[dict[str, Any]] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    dns_port: int = 0
    listeners: list[asyncio.Server | asyncio.DatagramTransport] = field(default_factory=list)
    good: set[str] = field(default_factory=set)  # tokens that the service which checks them finds good
    users: dict[str, str] = field(default_factory=dict)  # passwords by e-mail, of logins that give a good token
    login_fault: int = 0  # the status that it answers with instead
    held: int = 0  # requests that wait for `let_go`
    let_go: bool = False
    kept: set[str] = field(default_factory=set)  # services that keep connections open; others close each
    hasty: set[str] = field(default_factory=set)  # services that close a kept connection at its next request
    accepted: int = 0  # connections so far

    @property
    def addresses(self) -> tuple[str, str]:
        """Two hosts with a task of every service on each."""
        return f"{self.network}.1", f"{self.network}.2"

    def start(self) -> None:
        """Listen; returns once every port listens."""
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(SECONDS)

    def stop(self) -> None:
        """Stop answering; the ports are free afterwards."""
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result(SECONDS)
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def _close(self) -> None:
        for listener in self.listeners:
            listener.close()
        answering = asyncio.all_tasks() - {asyncio.current_task()}
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)

    async def _listen(self) -> None:
        transport, _ = await self.loop.create_datagram_endpoint(lambda: _Dns(self), (self.addresses[0], 0))
        self.dns_port = transport.get_extra_info("sockname")[1]
        self.listeners.append(transport)
        for address in self.addresses:
            for port in self.ports:
                self.listeners.append(await asyncio.start_server(self._serve, address, port, reuse_address=True))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        connection, turn = self.accepted, 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await self._answer(reader, writer, connection, turn):
                turn += 1
        writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int, turn: int
    ) -> bool:
        """Answer the request of this turn on a connection; whether it is kept for another one."""
        address, port = writer.get_extra_info("sockname")[:2]
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split()
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        fact = {"service": self.ports[port], "address": address, "method": method, "path": path, "headers": headers}
        fact |= {"length": len(body), "connection": connection, "turn": turn}
        if not path.startswith("/health"):
            self.seen.append(fact)
        fault = headers.get("x-fault", "")
        if fault in ("drop", f"drop {address}") or (turn > 1 and self.ports[port] in self.hasty):
            return False
        if fault == "slow":
            await asyncio.sleep(3)
        if fault == "hold":
            self.held += 1
            while not self.let_go:
                await asyncio.sleep(0.02)
        if headers.get("upgrade") == "websocket":
            await _websocket(headers["sec-websocket-key"], reader, writer)
            return False
        status, said = "200 OK", fact
        if "x-nexus-login" in headers:
            status = self._login(body)
        elif self.users and path.endswith("/auth/login"):
            status, said = self._token(json.loads(body))
        text = json.dumps(said).encode()
        keeps = self.ports[port] in self.kept and headers.get("connection") != "close"
        top = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
            "X-Powered-By: Express\r\nAccess-Control-Allow-Origin: *\r\n"
            f"Connection: {'keep-alive' if keeps else 'close'}\r\n\r\n"
        )
        writer.write(top.encode() + (b"" if method == "HEAD" else text))
        await writer.drain()
        return keeps

    def _login(self, body: bytes) -> str:
        if self.login_fault:
            return f"{self.login_fault} Fault"
        return "200 OK" if json.loads(body)["token"] in self.good else "401 Unauthorized"

    def _token(self, given: dict[str, str]) -> tuple[str, dict[str, Any]]:
        if self.users.get(given["email"]) != given["password"]:
            return "401 Unauthorized", {"success": False, "error": {"message": "E-mail or password is wrong."}}
        return "200 OK", {"success": True, "data": {"token": min(self.good)}}


async def _websocket(key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    accept = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest())
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    writer.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()


class _Dns(asyncio.DatagramProtocol):
    """The part of Docker's DNS that the router uses: A records of tasks.NAME."""

    def __init__(self, played: Played) -> None:
        self.played = played

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, source: Any) -> None:
        labels, at = [], 12
        while length := data[at]:
            labels.append(data[at + 1 : at + 1 + length].decode())
            at += length + 1
        question = data[12 : at + 5]
        asked_for_a = struct.unpack("!H", data[at + 1 : at + 3])[0] == 1
        addresses = []
        if asked_for_a and labels[0] == "tasks":
            addresses = self.played.tasks.get(labels[1], [self.played.addresses[0]])
        flags = 0x8180 if addresses else 0x8183
        answer = data[:2] + struct.pack("!HHHHH", flags, 1, len(addresses), 0, 0) + question
        for address in addresses:
            answer += struct.pack("!HHHLH", 0xC00C, 1, 1, 600, 4) + socket.inet_aton(address)
        self.transport.sendto(answer, source)
