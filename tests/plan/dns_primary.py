"""A primary DNS server of one zone on loopback, which takes changes signed with a TSIG key (RFC 2136)."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from typing import Any

from dns import flags, message, name, opcode, rcode, rdatatype, rrset, tsig
from dns.update import UpdateMessage


class Primary:
    """TXT and CNAME records by name; every name has the address `answer`."""

    def __init__(self, address: str, port: int, zone: str, key: tsig.Key, answer: str) -> None:
        self.zone, self.answer = name.from_text(zone), answer
        self.keyring = {key.name: key}
        self.texts: dict[name.Name, set[str]] = {}
        self.aliases: dict[name.Name, str] = {}
        self.seen: list[str] = []  # all texts that were ever added
        self.servers = [_Udp((address, port), _UdpHandler), _Tcp((address, port), _TcpHandler)]
        for server in self.servers:
            server.primary = self  # type: ignore[attr-defined]
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def reply(self, wire: bytes) -> bytes:
        """The answer to a question or a change."""
        try:
            asked = message.from_wire(wire, keyring=self.keyring)
        except (tsig.PeerError, message.UnknownTSIGKey, tsig.BadSignature):
            refused = message.from_wire(wire, keyring=False, ignore_trailing=True)
            answer = message.make_response(refused)
            answer.set_rcode(rcode.NOTAUTH)
            return answer.to_wire()
        answer = message.make_response(asked)
        if asked.opcode() == opcode.UPDATE:
            assert isinstance(asked, UpdateMessage)
            answer.set_rcode(self._change(asked) if asked.had_tsig else rcode.REFUSED)
        else:
            self._answer(asked, answer)
        return answer.to_wire()

    def _change(self, asked: UpdateMessage) -> rcode.Rcode:
        if asked.zone[0].name != self.zone:
            return rcode.NOTAUTH
        for found in asked.update:
            texts = self.texts.setdefault(found.name, set())
            said = {one.strings[0].decode() for one in found}
            if found.deleting is None:
                texts |= said
                self.seen += said
            else:
                texts -= said
        return rcode.NOERROR

    def _answer(self, asked: message.Message, answer: message.Message) -> None:
        answer.flags |= flags.AA
        [question] = asked.question
        place = question.name
        if place in self.aliases:
            answer.answer.append(rrset.from_text(place, 60, "IN", "CNAME", self.aliases[place]))
            place = name.from_text(self.aliases[place])
        if question.rdtype == rdatatype.TXT and self.texts.get(place):
            answer.answer.append(rrset.from_text(place, 60, "IN", "TXT", *(f'"{one}"' for one in self.texts[place])))
        if question.rdtype == rdatatype.A:
            answer.answer.append(rrset.from_text(place, 60, "IN", "A", self.answer))


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True


class _UdpHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        data, connection = self.request
        connection.sendto(server.primary.reply(data), self.client_address)


class _TcpHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        (size,) = struct.unpack("!H", self._read(2))
        answer = server.primary.reply(self._read(size))
        self.request.sendall(struct.pack("!H", len(answer)) + answer)

    def _read(self, size: int) -> bytes:
        data: bytes = self.request.recv(size, socket.MSG_WAITALL)
        return data
