"""Runs on a host: which ports of other hosts let it in."""

import socket
from concurrent.futures import ThreadPoolExecutor

SECONDS = 1.5


def ask(request):
    """{"ADDRESS:PORT": "open", "refused" or "no answer"} of each [address, port]."""
    wanted = request["ports"]
    with ThreadPoolExecutor(16) as pool:
        return {f"{a}:{p}": found for (a, p), found in zip(wanted, pool.map(one, wanted), strict=True)}


def one(place):
    """How a connection attempt ends."""
    try:
        socket.create_connection(tuple(place), timeout=SECONDS).close()
        return "open"
    except TimeoutError:
        return "no answer"
    except OSError:
        return "refused"
