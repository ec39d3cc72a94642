"""The way to a host that this process cannot reach by a socket: through jump hosts, or by a ProxyCommand.

OpenSSH's own client goes through jump hosts, so that ports, users, keys, known hosts and whole chains are as in `ssh`.
It carries one connection over a pair of sockets, and ends with it.
"""

import atexit
import os
import signal
import socket
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from nexus.transport.ssh_config import Target

# A jump host that does not answer for 25 s is gone; this is a little before the host behind it would be given up.
SILENCE = ("ServerAliveInterval=5", "ServerAliveCountMax=4")
LINES = 3  # last lines of its output that are kept
NOISE = ("stdio forwarding failed", "Killed by signal", "Connection to UNKNOWN", "Connection closed by UNKNOWN")
WAIT_SECONDS = 1.0  # for its last lines


class Way:
    """One connection that another process carries. `sock` is our end of it."""

    def __init__(self, command: Sequence[str], by: str) -> None:
        self.by = by
        self.sock, far = socket.socketpair()
        self._said: deque[str] = deque(maxlen=LINES)
        with far:
            # In its own session no Ctrl-C reaches it: the connection must survive until the step has ended.
            self._process = subprocess.Popen(
                command, stdin=far.fileno(), stdout=far.fileno(), stderr=subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        _ways.add(self)

    def said(self) -> str:
        """The last lines that the process wrote before it ended; empty if it wrote nothing, or still runs."""
        self._listening.join(WAIT_SECONDS)
        return "" if self.runs() else "; ".join(self._said)

    def runs(self) -> bool:
        """Whether the process still runs."""
        return self._listening.is_alive()

    def close(self) -> None:
        """End it."""
        _ways.discard(self)
        self.sock.close()
        with suppress(OSError):
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGHUP)

    def _listen(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            text = line.decode(errors="replace").strip()
            if text and not text.startswith(NOISE):
                self._said.append(text)
        self._process.wait()


_ways: set[Way] = set()


def open_way(target: Target, seconds: float) -> Way:
    """Start the way to an indirect target."""
    if target.jumps:
        return Way(jump_command(target, seconds), f"through {', '.join(target.jumps)}")
    shell = os.environ.get("SHELL") or "/bin/sh"  # as ssh does
    return Way([shell, "-c", f"exec {target.command}"], f"by ProxyCommand {target.command}")


def jump_command(target: Target, seconds: float) -> list[str]:
    """The ssh command to the last jump host, through those before it; it never prompts."""
    *before, last = target.jumps
    user, host, port = parts(last)
    place = f"[{target.hostname}]" if ":" in target.hostname else target.hostname
    options = ["BatchMode=yes", f"ConnectTimeout={max(1, int(seconds) - 1)}", "LogLevel=INFO", *SILENCE]
    return [
        "ssh", "-T", *target.options,
        *(word for option in options for word in ("-o", option)),
        *(["-J", ",".join(before)] if before else []),
        *(["-l", user] if user else []), *(["-p", port] if port else []),
        "-W", f"{place}:{target.port or 22}", "--", host,
    ]  # fmt: skip


def parts(hop: str) -> tuple[str, str, str]:
    """User, host and port of a jump host, as `ops@bastion:2222`, `[2001:db8::1]:22` or `ssh://ops@bastion`."""
    user, _, place = hop.removeprefix("ssh://").rstrip("/").rpartition("@")
    host, colon, port = place.rpartition(":")
    if not colon or not port.isdigit() or (":" in host and not host.endswith("]")):
        host, port = place, ""
    return user, host.removeprefix("[").removesuffix("]"), port


@atexit.register
def _close_all() -> None:
    for way in list(_ways):
        way.close()
