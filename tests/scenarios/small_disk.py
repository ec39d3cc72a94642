"""A small disk of its own in a host of the lab: a file system in a file, on a loop device of this machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from control import Control

MEGABYTES, INODES = 16, 64
NODE = "/run/nexus-test-loop"  # the device's name within the host


@contextmanager
def small_disk(control: Control, name: str, place: str, image: Path) -> Iterator[None]:
    """A new disk, mounted at `place` of a host as long as the context is open; `image` is the file of its content."""
    with image.open("wb") as file:
        file.truncate(MEGABYTES << 20)
    _run("mkfs.ext4", "-q", "-N", str(INODES), str(image))
    try:
        device = _run("losetup", "--find", "--show", str(image)).strip()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this machine has no loop device: {error.stderr.strip()}")
    try:
        running = control.host(name).running()
        assert running
        assert running.init
        number = os.stat(device).st_rdev
        inside = ("nsenter", f"--mount=/proc/{running.init}/ns/mnt", "sh", "-ec")
        node = f"rm -f {NODE}; mknod {NODE} b {os.major(number)} {os.minor(number)}"
        _run(*inside, f"{node}; mkdir -p {place}; mount {NODE} {place}")
        try:
            yield
        finally:
            _run(*inside, f"umount {place}; rmdir {place}; rm {NODE}")
    finally:
        _run("losetup", "--detach", device)


def _run(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout
