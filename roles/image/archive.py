"""Tar archives that are the same bytes for the same content: what a build is made from, and its name."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping

Members = Mapping[str, bytes | tuple[bytes, int]]  # path -> content, or content and mode (0644 otherwise)


def pack(members: Members) -> bytes:
    """A tar of regular files in the order of their names, without times and owners."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(members):
            member = members[name]
            data, mode = member if isinstance(member, tuple) else (member, 0o644)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return target.getvalue()
