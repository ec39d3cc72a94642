"""Host keys: an operator confirms a key once, and from then on only that key is accepted."""

import base64
import hashlib
import socket
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import paramiko

from nexus.error import OperatorError
from nexus.transport.jump import open_way
from nexus.transport.ssh_config import Target
from nexus.workstation import write_whole

Confirm = Callable[[str, str], bool]  # called with a host and the words for its key


@dataclass(frozen=True)
class HostKey:
    """The key that a host shows, under the name that known_hosts has for the host."""

    name: str
    kind: str
    text: str  # base64

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        digest = base64.b64encode(hashlib.sha256(base64.b64decode(self.text)).digest()).decode()
        return f"SHA256:{digest.rstrip('=')}"

    @property
    def line(self) -> str:
        """Its line in known_hosts."""
        return f"{self.name} {self.kind} {self.text}\n"


def name_of(way: Target) -> str:
    """The name of a host in known_hosts, as OpenSSH has it."""
    return way.alias or (way.hostname if way.port in (0, 22) else f"[{way.hostname}]:{way.port}")


def shown(way: Target, known: Iterable[Path], seconds: float) -> HostKey:
    """The key that a host shows; if keys of the host are known, one of their kinds.

    Raises what paramiko raises.
    """
    kinds = {key.kind for path in known for key in recorded(path, name_of(way))}
    carrier = open_way(way, seconds) if way.indirect else None
    try:
        sock = carrier.sock if carrier else socket.create_connection((way.hostname, way.port or 22), seconds)
        transport = paramiko.Transport(sock)
        try:
            transport.banner_timeout = seconds
            options = transport.get_security_options()
            options.key_types = sorted(options.key_types, key=lambda kind: kind not in kinds)
            transport.start_client(timeout=seconds)
            key = transport.get_remote_server_key()
            return HostKey(name_of(way), key.get_name(), key.get_base64())
        finally:
            transport.close()
    except (paramiko.SSHException, OSError, EOFError) as error:
        if carrier:
            raise paramiko.SSHException(f"no connection {carrier.by}: {carrier.said() or error}") from None
        raise
    finally:
        if carrier:
            carrier.close()


def recorded(path: Path, name: str) -> list[HostKey]:
    """Keys of a host in a file of known hosts, which may not exist."""
    keys = paramiko.HostKeys()
    with suppress(OSError):
        keys.load(str(path))
    return [HostKey(name, kind, key.get_base64()) for kind, key in (keys.lookup(name) or {}).items()]


def pin(
    host: str, key: HostKey, path: Path, own: Iterable[Path], given: Collection[str], confirm: Confirm | None
) -> str:
    """Write a key to the environment's file of known hosts, unless it is there; why it is trusted, or "".

    It is trusted if the operator's `own` files have it, if its fingerprint was `given`, or if the operator confirms
    it. OperatorError for another key than the recorded one, and for a key that nobody confirmed.
    """
    there = recorded(path, key.name)
    if key in there:
        return ""
    if there:
        raise OperatorError(
            f"shows the host key {key.fingerprint}, but {path} has {there[0].fingerprint}: it was reinstalled, or "
            f"somebody is in between. If it was reinstalled: ssh-keygen -R '{key.name}' -f {path}, then rerun"
        )
    words = f"{key.kind} {key.fingerprint}"
    if any(key in recorded(file, key.name) for file in own):
        why = "your known_hosts has it"
    elif key.fingerprint in given:
        why = "its fingerprint was given"
    elif confirm and confirm(host, words):
        why = "you confirmed it"
    else:
        raise OperatorError(
            f"shows the host key {words}, which nobody confirmed. Compare it with `ssh-keygen -lf "
            "/etc/ssh/ssh_host_ed25519_key.pub` on the host's console, then rerun on a terminal, or with "
            f"NEXUS_FINGERPRINTS={key.fingerprint} (several: separated by commas)"
        )
    before = path.read_text() if path.is_file() else ""
    write_whole(path, before + ("" if before.endswith("\n") or not before else "\n") + key.line)
    return why
