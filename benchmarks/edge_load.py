"""Load on one way to a task, from a process of its own, since that may be in another network namespace.

    python -m benchmarks.edge_load '{"kind": "rate", "address": ..., "port": ..., "name": ..., "path": ..., "ca": ...}'

It prints a JSON object. Requests and their times are h2load's; handshakes and WebSockets are made here.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

CLIENTS = 16
SOCKETS = 200
OPENING = 10  # WebSockets that are opened at the same time
# Nginx ends a connection after so many requests (operations.yaml: keepalive_requests), and h2load opens no other one
# with HTTP/2. So no way gets more on one connection, and h2load is started again until the time is over.
EACH = 100
DONE = re.compile(r"^requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed", re.MULTILINE)
Asked = Mapping[str, Any]


def rate(asked: Asked) -> dict[str, float]:
    """Requests a second with all clients at full load: {"rate", "done"}; RuntimeError if one failed."""
    began = time.monotonic()
    done = sum(_h2load(asked, "-n", str(CLIENTS * EACH)) for _ in _until_over(asked["seconds"]))
    return {"rate": done / (time.monotonic() - began), "done": done}


def latency(asked: Asked) -> dict[str, float]:
    """Times of answers in ms at `rate` requests a second of all clients together: {"median", "p99", "done"}."""
    times: list[float] = []
    each, rate = min(EACH, round(asked["rate"] * asked["seconds"] / CLIENTS)), f"{asked['rate'] / CLIENTS:.3f}"
    for _ in _until_over(asked["seconds"]):
        with tempfile.NamedTemporaryFile("r") as log:
            _h2load(asked, "-n", str(CLIENTS * each), "--rps", rate, "--log-file", log.name)
            times += [int(line.split("\t")[2]) / 1000 for line in log if line.strip()]
    return {**spread(times), "done": len(times)}


def _until_over(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield


def _h2load(asked: Asked, *more: str) -> int:
    words = ["h2load", "--connect-to", f"{asked['address']}:{asked['port']}", "-t", "1", "-c", str(CLIENTS), *more]
    if asked["protocol"] == "h1":
        words.append("--h1")
    url = f"https://{asked['name']}:{asked['port']}{asked['path']}"
    done = subprocess.run([*words, url], capture_output=True, text=True, check=False)
    return read_h2load(done.stdout + done.stderr)


def read_h2load(text: str) -> int:
    """The number of requests in h2load's report; RuntimeError if one of them was not answered well."""
    counts = DONE.search(text)
    if not counts or len(set(counts.groups()[:3])) > 1 or int(counts[4]):
        raise RuntimeError(f"h2load did not get an answer to every request:\n{text[-1500:]}")
    return int(counts[1])


def spread(times: Sequence[float]) -> dict[str, float]:
    """Median and 99th percentile."""
    return {"median": statistics.median(times), "p99": statistics.quantiles(times, n=100)[98]}


def handshakes(asked: Asked) -> dict[str, float]:
    """TLS handshakes one after the other, each with a request; with `resumed` the session of the one before."""
    context = ssl.create_default_context(cafile=asked["ca"])
    session: ssl.SSLSession | None = None
    resumed, spent = 0, 0.0
    for _ in range(asked["count"]):
        with socket.create_connection((asked["address"], asked["port"]), 10) as raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            began = time.perf_counter()
            kept = session if asked["resumed"] else None
            with context.wrap_socket(raw, server_hostname=asked["name"], session=kept) as secure:
                spent += time.perf_counter() - began
                resumed += bool(secure.session_reused)
                # the ticket of TLS 1.3 comes after the handshake, before the answer
                secure.sendall(f"HEAD {asked['path']} HTTP/1.1\r\nHost: {asked['name']}\r\n\r\n".encode())
                secure.recv(4096)
                session = secure.session
    return {"ms": 1000 * spent / asked["count"], "done": asked["count"], "resumed": resumed / asked["count"]}


def websockets(asked: Asked) -> dict[str, float]:
    """200 open WebSockets, each asked for an echo every `every` seconds: {"median", "p99", "done"}, times in ms."""
    return asyncio.run(_websockets(asked))


async def _websockets(asked: Asked) -> dict[str, float]:
    limit, context = asyncio.Semaphore(OPENING), ssl.create_default_context(cafile=asked["ca"])
    there = await asyncio.gather(*(_open(asked, context, limit) for _ in range(SOCKETS)))
    end = time.monotonic() + asked["seconds"]
    times = await asyncio.gather(
        *(_echoes(one, number * asked["every"] / SOCKETS, end, asked["every"]) for number, one in enumerate(there))
    )
    await asyncio.gather(*(one.close() for one in there))
    found = [each for one in times for each in one]
    return {**spread(found), "done": len(found)}


async def _open(asked: Asked, context: ssl.SSLContext, limit: asyncio.Semaphore) -> ClientConnection:
    async with limit:
        url = f"wss://{asked['name']}:{asked['port']}{asked['path']}"
        one = await connect(
            url, host=asked["address"], ssl=context, server_hostname=asked["name"], ping_interval=None, proxy=None
        )
        await one.recv()  # its greeting
        return one


async def _echoes(one: ClientConnection, first: float, end: float, every: float) -> list[float]:
    await asyncio.sleep(first)
    times = []
    while time.monotonic() < end:
        began = time.perf_counter()
        await one.send("echo")
        await one.recv()
        times.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(every)
    return times


KINDS = {"rate": rate, "latency": latency, "handshakes": handshakes, "websockets": websockets}


def ask(asked: Asked, within: Sequence[str] = ()) -> dict[str, float]:
    """The figures of one load, made by a process that the command `within` starts; RuntimeError without figures."""
    words = [*within, sys.executable, "-m", "benchmarks.edge_load", json.dumps(asked)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1])
    if done.returncode:
        raise RuntimeError(f"{asked['kind']} at {asked['address']}:{asked['port']} failed: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps(KINDS[given["kind"]](given)))
