"""Connections of this machine's tests that start at a host of the lab, as the firewall wants them."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from control import Control

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL("libc.so.6", use_errno=True)


@contextmanager
def inside(control: Control, name: str) -> Iterator[None]:
    """The current thread has the host's network, and what it opens keeps it."""
    running = control.host(name).running()
    assert running, f"{name} does not run"
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/proc/{running.init}/ns/net", os.O_RDONLY)
    try:
        _enter(there)
        yield
    finally:
        _enter(own)
        os.close(own)
        os.close(there)


def _enter(network: int) -> None:
    if LIBC.setns(network, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
