"""Loopback addresses and ports for one test alone, whatever else runs on this machine.

A socket in the kernel's abstract namespace claims a number: no other process can bind it, and it is free again when
its process ends, killed or not. The number determines a network and a few ports. `random` is not used: the plugin
that shuffles tests seeds it alike in all workers.
"""

from __future__ import annotations

import contextlib
import socket
from random import SystemRandom

PLACES = 1000
PORTS = 12  # ports of each place: 20000 to 32000 in all, below the kernel's ephemeral ports
FIRST_PORT = 20000
FIRST_NETWORK = 90  # 127.90.0.0/24 and the networks above it


class Place:
    """A network of 127.0.0.0/8 and a few ports, reserved until `close` or until this object is deleted."""

    def __init__(self) -> None:
        first = SystemRandom().randrange(PLACES)
        for number in (*range(first, PLACES), *range(first)):
            if claim := _claim(number):
                self._claim = claim
                self.network = f"127.{FIRST_NETWORK + number // 250}.{number % 250}"
                self.ports = tuple(range(FIRST_PORT + PORTS * number, FIRST_PORT + PORTS * (number + 1)))
                return
        raise RuntimeError(f"all {PLACES} places on loopback are taken")

    def address(self, number: int) -> str:
        """An address of the network, by its last part."""
        return f"{self.network}.{number}"

    def close(self) -> None:
        """Release the reservation."""
        self._claim.close()


def _claim(number: int) -> socket.socket | None:
    """The claim; None if another process has it or listens on one of its ports."""
    claim = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        claim.bind(f"\0nexus-cos-test-place-{number}")
        for port in range(FIRST_PORT + PORTS * number, FIRST_PORT + PORTS * (number + 1)):
            stack.enter_context(socket.create_server(("", port)))
        return claim
    claim.close()
    return None
