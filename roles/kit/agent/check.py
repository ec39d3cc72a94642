"""What roles check on a host before anything is laid down there.

Every host is asked, and most run nothing else for a question: without `subprocess`, which takes 3 ms to be imported.
"""

from __future__ import annotations

import os
import select

from roles.kit.agent.base import RemoteError

SECONDS = 60
MOST_BYTES = 1 << 16


def refusal(command: str) -> str | None:
    """Why a role cannot work on this host, None when it can; RemoteError where its check does not end."""
    told, complained = (os.memfd_create(name) for name in ("told", "complained"))  # never full, as a pipe would be
    try:
        into = [(os.POSIX_SPAWN_DUP2, told, 1), (os.POSIX_SPAWN_DUP2, complained, 2)]
        child = os.posix_spawn("/bin/sh", ["/bin/sh", "-c", f"cd /\n{command}"], os.environ, file_actions=into)
        if _succeeds(child):
            return None
        return _written(told) or _written(complained) or "refused without a reason"
    finally:
        os.close(told)
        os.close(complained)


def _succeeds(child: int) -> bool:
    watched = os.pidfd_open(child)
    try:
        in_time, _, _ = select.select([watched], [], [], SECONDS)
    finally:
        os.close(watched)
    if not in_time:
        os.kill(child, 9)
    _, status = os.waitpid(child, 0)
    if not in_time:
        raise RemoteError(f"a check of this host did not end within {SECONDS} s")
    return status == 0


def _written(file: int) -> str:
    return os.pread(file, MOST_BYTES, 0).decode(errors="replace").strip()
