"""A TCP relay that delays every byte by a fixed time and counts turns: it simulates a distant network.

    python -m benchmarks.relay DELAY_MS LISTEN_PORT=ADDRESS:PORT ...

It listens in front of sshd, since the kernel may be unable to delay packets itself. A line on standard input asks for
the counters since the last line; the answer is one line of JSON. The end of the input ends the relay.

A turn is one change of direction on a connection: the client sends again after it has received something. On a network
each turn costs a round trip, whatever the protocol above.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections import Counter
from dataclasses import dataclass

COUNTED: Counter[str] = Counter()
CHUNK_BYTES = 1 << 18
WINDOW_CHUNKS = 256  # in flight on one connection and direction before the sender must wait


@dataclass
class Talk:
    """One connection, and the side that sent last."""

    last: str = "server"


async def _carry(
    name: str, talk: Talk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float
) -> None:
    """Forward the bytes of one side, `delay` seconds after they came in."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(WINDOW_CHUNKS)

    async def deliver() -> None:
        while True:
            due, data = await queue.get()
            if (left := due - loop.time()) > 0:
                await asyncio.sleep(left)
            if not data:
                writer.close()
                return
            if name == "client" and talk.last == "server":
                COUNTED["turns"] += 1
            talk.last = name
            COUNTED[f"{name}_bytes"] += len(data)
            writer.write(data)
            await writer.drain()

    delivery = asyncio.create_task(deliver())
    data = b"-"
    while data and not delivery.done():
        try:
            data = await reader.read(CHUNK_BYTES)
        except OSError:
            data = b""
        await queue.put((loop.time() + delay, data))
    with contextlib.suppress(OSError):
        await delivery


def _no_delay(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


async def serve(delay_ms: float, ways: dict[int, tuple[str, int]]) -> None:
    """Listen on loopback on each port of `ways` and forward to its target, with half of the delay each way."""
    delay = delay_ms / 2000

    def handler(target: tuple[str, int]) -> object:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            COUNTED["connections"] += 1
            await asyncio.sleep(2 * delay)  # the handshake of TCP itself
            try:
                far_reader, far_writer = await asyncio.open_connection(*target)
            except OSError:
                writer.close()
                return
            talk = Talk()
            _no_delay(writer)
            _no_delay(far_writer)
            with contextlib.suppress(asyncio.CancelledError):  # the end of the relay itself
                await asyncio.gather(
                    _carry("client", talk, reader, far_writer, delay), _carry("server", talk, far_reader, writer, delay)
                )

        return handle

    for port, target in ways.items():
        await asyncio.start_server(handler(target), "127.0.0.1", port)  # type: ignore[arg-type]
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(COUNTED), flush=True)
        COUNTED.clear()


def main() -> None:
    """Read delay and ways from the command line."""
    ways = {}
    for word in sys.argv[2:]:
        port, _, target = word.partition("=")
        address, _, far = target.rpartition(":")
        ways[int(port)] = (address, int(far))
    asyncio.run(serve(float(sys.argv[1]), ways))


if __name__ == "__main__":
    main()
