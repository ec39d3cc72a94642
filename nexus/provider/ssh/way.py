"""The way into a host: connection, login, sudo. Each failure has its remedy."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import paramiko
from pyinfra.api.exceptions import PyinfraError

from nexus.environment.environment import Host
from nexus.error import OperatorError
from nexus.provider.ssh.look import SCRIPT, Facts, facts
from nexus.transport import login, sudo
from nexus.transport.ssh_config import Target

SECONDS = 10.0  # to connect, to log in


@dataclass(frozen=True)
class Seen:
    """A host that answered. `ahead` is how far its clock is ahead of this machine's, in seconds."""

    facts: Facts
    ahead: float
    sudo: str  # in words
    asks_password: bool  # sudo


@contextmanager
def in_words(way: Target, *others: type[Exception]) -> Iterator[None]:
    """Turn errors on the way to a host into OperatorError, except `others`."""
    try:
        yield
    except others:
        raise
    except socket.gaierror:
        raise OperatorError(
            f"cannot be reached: the name {way.hostname} is not known: correct its address, or add a Host to ssh's "
            "configuration"
        ) from None
    except ConnectionRefusedError:
        raise OperatorError(
            f"cannot be reached: nothing answers on port {way.port or 22} of {way.hostname}: start sshd there, or set "
            "the port (Port in ssh's configuration, ssh_port in the inventory)"
        ) from None
    except (OSError, EOFError, paramiko.SSHException) as error:
        if way.indirect and str(error).startswith("no connection"):
            raise OperatorError(f"cannot be reached: {_hint(str(error), way)}") from None
        raise OperatorError(
            f"cannot be reached: {way.hostname} does not answer ({error or type(error).__name__}): is it on, does a "
            "filter let port 22 through, is it behind a bastion (ProxyJump in ssh's configuration)?"
        ) from None


def _hint(said: str, way: Target) -> str:
    if "verification failed" in said:
        jump = way.jumps[-1] if way.jumps else "JUMP-HOST"
        return f"{said}: connect once with `ssh {jump}` and confirm the key of the jump host"
    if "Permission denied" in said:
        return f"{said}: the jump host refuses the key: load it into the agent, or name it there (IdentityFile)"
    return f"{said}: check ProxyJump or ProxyCommand in ssh's configuration with `ssh {way.name}`"


def look(host: Host, way: Target, secret: Callable[[], str]) -> Seen:
    """Log in and look around as root; `secret` is called for sudo's password. OperatorError with the remedy."""
    with _logged_in(host, way) as client, in_words(way):
        transport = client.get_transport()
        assert transport
        user = transport.get_username() or ""
        words, password = ("root needs no sudo", "") if user == "root" else _sudo(host, transport, user, secret)
        began = time.time()
        channel = sudo.as_root(transport, user, f"sh -c '{_quoted(SCRIPT)}'", password)
        status, said, errors = sudo.output(channel)
        if "== system" not in said:
            raise OperatorError(
                f"logged in, but its shell ran no command ({errors or status}): give {user} a shell, /bin/sh"
            )
        found = facts(said)
        ahead = found.clock - (began + time.time()) / 2 if found.clock else 0.0
        return Seen(found, ahead, words, bool(password))


def _quoted(script: str) -> str:
    return script.replace("'", "'\\''")


@contextmanager
def _logged_in(host: Host, way: Target) -> Iterator[paramiko.SSHClient]:
    user = way.user or "the operator"
    try:
        with in_words(way, paramiko.AuthenticationException, FileNotFoundError):
            client = login.connect(host.setting, host.address, SECONDS)
    except paramiko.AuthenticationException as error:
        key = host.setting.get("ssh_key") or "the agent's keys"
        raise OperatorError(
            f"refuses {user} with {key} ({error}): add the public key to ~{user}/.ssh/authorized_keys there, or set "
            "ssh_user or ssh_key in the inventory"
        ) from None
    except (PyinfraError, FileNotFoundError) as error:  # before the connection: the key itself
        key = host.setting.get("ssh_key")
        raise OperatorError(
            f"has no usable key {key} here ({error}): set ssh_key in the inventory to your file"
        ) from None
    try:
        yield client
    finally:
        client.close()


def _sudo(host: Host, transport: paramiko.Transport, user: str, secret: Callable[[], str]) -> tuple[str, str]:
    """How sudo works there, in words, and the password that it needs."""
    try:
        if not sudo.asks(transport):
            return "sudo without a password", ""
    except OperatorError as error:
        raise OperatorError(_sudo_remedy(str(error), user)) from None
    if not host.setting[sudo.SETTING]:
        raise OperatorError(
            f"has a sudo that asks {user} for a password: set {sudo.SETTING} = True in group_data, and {sudo.VARIABLE} "
            "where no terminal is; or allow it without one, as root: "
            f"echo '{user} ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/{user}"
        )
    password = secret()
    try:
        sudo.check(transport, password)
    except OperatorError as error:
        raise OperatorError(_sudo_remedy(str(error), user)) from None
    return "sudo with a password", password


def _sudo_remedy(said: str, user: str) -> str:
    said = "; ".join([line.strip() for line in said.splitlines() if line.strip()][-2:])  # a lecture may come first
    if "not found" in said:
        return "has no sudo: as root, apt-get install sudo && adduser " + f"{user} sudo"
    if "try again" in said or "incorrect password" in said:
        return f"has another sudo password for {user} ({said}): correct {sudo.VARIABLE}"
    if "tty" in said or "terminal" in said:
        return f"has a sudo that wants a terminal ({said}): remove requiretty from /etc/sudoers (visudo)"
    return f"does not let {user} use sudo ({said}): as root, adduser {user} sudo"
