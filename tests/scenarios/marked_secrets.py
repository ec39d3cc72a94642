"""Marked secrets, and the encodings in which one may appear."""

from __future__ import annotations

import base64
import re
import secrets as random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from control import Control

from nexus.environment import inventory
from nexus.secrets import store as module
from nexus.secrets.store import Secrets
from runbooks.secret import fill

# Letters and digits: the same in a URL, in JSON and in a shell. No file of the project contains it, not even this one.
MARK = "".join(("Canary7", "Nexus"))


@contextmanager
def marked_passwords() -> Iterator[None]:
    """Every password that is made meanwhile contains the mark."""
    numbers, original = count(), module.password
    module.password = lambda: f"{MARK}{next(numbers):03}{random.token_urlsafe(18)}"
    try:
        yield
    finally:
        module.password = original


def mark_secrets(control: Control) -> list[str]:
    """Write a new secrets file in which every password contains the mark; the names of the passwords."""
    with marked_passwords():
        return fill.fill(control.name)


def marks(control: Control) -> list[bytes]:
    """What the secrets of an environment look like, in every encoding."""
    return marks_of(inventory.load(control.name).secrets)


def marks_of(kept: Secrets) -> list[bytes]:
    """What marked secrets look like, in every encoding.

    It includes the secrets without a mark: keys by lines of their text, and values of a later rotation.
    """
    keys = [kept.get(name) for name in kept.names() if name.endswith("ca-key")]
    bodies = [key.splitlines()[number].encode() for key in keys for number in (2, 10)]
    values = [kept.get(name) for name in kept.names() if not name.startswith(("tls/", "etcd/"))]
    made = [value.encode() for value in values if MARK not in value]
    return [writing for plain in (MARK.encode(), *made) for writing in writings(plain)] + bodies


def writings(plain: bytes) -> list[bytes]:
    """A text in the clear, in base64 at each of the three offsets, and in hex."""
    encoded = []
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + plain)
        encoded.append(text[4 if offset else 0 : -4])  # without the characters that depend on neighbours
    return [plain, *encoded, plain.hex().encode()]


class Processes:
    """Arguments of every process on this machine and its hosts, polled during the runs."""

    def __init__(self, wanted: list[bytes]) -> None:
        self.marks = re.compile(b"|".join(map(re.escape, wanted)))
        self.hits: set[bytes] = set()
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Processes:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    words = path.read_bytes()
                except OSError:
                    continue
                self.seen.add(words[:200])
                if self.marks.search(words):
                    self.hits.add(words[:60])
            time.sleep(0.05)


def found_below(top: Path, wanted: list[bytes], left_out: tuple[str, ...] = ()) -> list[str]:
    """Files below a directory that contain a mark."""
    pattern = re.compile(b"|".join(map(re.escape, wanted)))
    files = [path for path in top.rglob("*") if path.is_file() and not path.is_symlink()]
    kept = [path for path in files if not set(path.relative_to(top).parts) & set(left_out)]
    return [str(path) for path in kept if pattern.search(path.read_bytes())]
