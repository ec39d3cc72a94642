"""pyinfra's SSH client, with OpenSSH's own reading of its configuration instead of paramiko's.

pyinfra's own reading fails with a traceback on valid configuration (Match final, units of time), takes `none` for the
name of a jump host, and gives transports a channel where they expect a socket. Every connection goes through here:
runs, the lock, the record, and checks of hosts.
"""

import logging
import os
import socket
import threading
from contextlib import nullcontext, suppress
from typing import Any

from paramiko import AuthenticationException, BadHostKeyException, SSHException
from pyinfra.api.exceptions import PyinfraError
from pyinfra.connectors.ssh_util import load_key_with_certificate
from pyinfra.connectors.sshuserclient import client as pyinfra_client

from nexus.error import OperatorError
from nexus.pyinfra_patches import replace
from nexus.transport.jump import Way, open_way
from nexus.transport.ssh_config import Target, target

SECONDS = 15.0  # to connect, by default
# An sshd with ten connections that have not logged in yet refuses some of them (MaxStartups).
STARTING = threading.BoundedSemaphore(8)


def install() -> None:
    """Make pyinfra connect with this client."""
    replace("ssh", lambda _: Client)
    replace("alias", lambda _: _alias)
    logging.getLogger("paramiko").addHandler(logging.NullHandler())  # no tracebacks: errors are reported in words


def _alias(name: str) -> str | None:
    """The host name that ssh's configuration has for a name, if it differs."""
    found = target(name).hostname
    return found if found != name else None


class Client(pyinfra_client.SSHClient):
    """A connection to one host, and the way that carries it."""

    def __init__(self) -> None:
        super().__init__()
        self.way: Way | None = None
        self._target = Target("")

    def connect(self, hostname: str, _pyinfra_ssh_config_file: str | None = None, **rest: Any) -> None:
        """Connect as the configuration says; `rest` comes from the inventory and has precedence."""
        user, port = rest.get("username") or "", rest.get("port") or 0
        try:
            found = self._target = target(hostname, _pyinfra_ssh_config_file, user, port)
        except OperatorError as error:
            raise SSHException(str(error)) from None
        rest.update({"username": found.user} if found.user else {}, port=found.port or 22)
        if found.only_these_keys:
            rest["look_for_keys"] = False
        with STARTING if found.indirect else nullcontext():
            self._connect(found, rest)

    def _connect(self, found: Target, rest: dict[str, Any]) -> None:
        seconds = float(rest.get("timeout") or SECONDS)
        if found.indirect:
            self.way = open_way(found, seconds)
            rest["sock"] = self.way.sock
        elif found.alias:
            rest["sock"] = socket.create_connection((found.hostname, rest["port"]), seconds)
        if found.alias:  # the name of its key in known_hosts has no port; the socket is already connected
            rest["port"] = 22
        try:
            super().connect(found.alias or found.hostname, **rest)
        except (AuthenticationException, BadHostKeyException):
            self.close()
            raise
        except (SSHException, OSError, EOFError) as error:
            transport = self.get_transport()
            if not self.way or (transport and transport.is_active()):  # the error is at the far end, such as a key
                self.close()
                if isinstance(error, TimeoutError | EOFError | ConnectionResetError):  # they name no place
                    place = f"{found.hostname} port {found.port or 22}"
                    raise SSHException(f"no connection to {place}: {_in_words(error, seconds)}") from None
                raise
            why = self.way.said() or _in_words(error, seconds)
            self.close()
            raise SSHException(f"no connection {self.way.by}: {why}") from None

    def parse_config(
        self, hostname: str, initial_cfg: dict[str, Any], ssh_config_file: None = None,
        strict_host_key_checking: str | None = None,
    ) -> tuple[Any, ...]:  # fmt: skip
        """The values that pyinfra's own client reads from its configuration, in its order."""
        found, settings = self._target, dict(initial_cfg)
        if "pkey" not in settings:
            settings |= _key(found)
        policy = pyinfra_client.get_missing_host_key_policy("yes" if found.strict else strict_host_key_checking)
        known_hosts = found.known_hosts or (os.path.expanduser("~/.ssh/known_hosts"),)
        return hostname, settings, found.forward_agent, policy, known_hosts, 0, found.agent or None

    def lost(self) -> str:
        """Which way was lost and why, in parentheses; empty without a separate way, or if the way works."""
        if not self.way:
            return ""
        said, transport = self.way.said().rstrip("."), self.get_transport()
        if self.way.runs() and transport and transport.is_active():
            return ""
        if self.way.runs():
            said = "no answer for half a minute"
        return f" ({self.way.by}{f': {said}' if said else ''})"

    def close(self) -> None:
        """Close the connection, and end the process that carried it."""
        super().close()
        if self.way:
            self.way.close()


def _key(found: Target) -> dict[str, Any]:
    """The first configured key that can be read without a prompt, with its certificate; otherwise the keys' paths."""
    for path in found.keys:
        with suppress(PyinfraError, SSHException, OSError):
            return {"pkey": load_key_with_certificate(path, None, found.certificate or None, allow_prompt=False)}
    return {"key_filename": list(found.keys)} if found.keys else {}


def _in_words(error: BaseException, seconds: float) -> str:
    if isinstance(error, TimeoutError) or "banner" in str(error):
        return f"no answer within {seconds:.0f} s"
    if isinstance(error, EOFError | ConnectionResetError):
        return (
            "it was closed before the login; sshd there may refuse this address for a while (PerSourcePenalties in "
            "`man sshd_config`). Wait a minute, then rerun"
        )
    return str(error) or type(error).__name__


def lost_way(host: Any) -> str:
    """How the connection to a host was lost, in parentheses, if another process carried it."""
    client = getattr(host.connector, "client", None)
    return client.lost() if isinstance(client, Client) else ""
