"""sudo on hosts: with or without a password, which is never stored.

A run passes the password to pyinfra (`_sudo_password`); code outside of a run starts commands with `as_root`.
"""

import getpass
import os
import sys
import threading
from functools import cache

from paramiko import Channel, Transport

from nexus.error import OperatorError

VARIABLE = "NEXUS_SUDO_PASSWORD"
SETTING = "sudo_asks_password"
ASKING = ("password is required", "authentication is required")  # sudo's words, and those of sudo-rs
_asking = threading.Lock()
SECONDS = 20.0  # for an answer of sudo, which may ask a directory of users


def password() -> str:
    """The operator's password for sudo on hosts: of the environment variable, or asked for once on the terminal.

    OperatorError if there is neither. Threads may call it at once.
    """
    with _asking:
        return _password()


@cache
def _password() -> str:
    if given := os.environ.get(VARIABLE):
        return given
    if not (sys.stdin and sys.stdin.isatty()):
        raise OperatorError(
            f"sudo on hosts asks for a password ({SETTING}), and this run has no terminal to ask on: set {VARIABLE}"
        )
    return getpass.getpass("Password for sudo on the hosts: ")


def asks(transport: Transport) -> bool:
    """Whether sudo wants a password. OperatorError with sudo's words if it refuses for another reason."""
    status, said = _answer(_start(transport, "sudo -k -n true"))
    if status and not any(words in said for words in ASKING):
        raise OperatorError(said or f"sudo ended with {status}")
    return bool(status)


def check(transport: Transport, secret: str) -> None:
    """OperatorError with sudo's words unless it takes this password and lets the user run commands as root."""
    channel = _start(transport, "sudo -k -S -p '' true")
    channel.sendall(f"{secret}\n".encode())
    channel.shutdown_write()
    status, said = _answer(channel)
    if status:
        raise OperatorError(said or f"sudo ended with {status}")


def as_root(transport: Transport, user: str, command: str, secret: str = "") -> Channel:
    """A command of root that was just started; `secret` is used only where sudo asks for a password."""
    if user == "root":
        return _start(transport, command)
    if not secret or not asks(transport):
        return _start(transport, f"sudo -n {command}")
    channel = _start(transport, f"sudo -k -S -p '' {command}")
    channel.sendall(f"{secret}\n".encode())
    return channel


def output(channel: Channel) -> tuple[int, str, str]:
    """Status, output and errors of a command that reads nothing more."""
    channel.shutdown_write()
    with channel.makefile("rb") as stream, channel.makefile_stderr("rb") as errors:
        said, wrong = stream.read(), errors.read()
    return channel.recv_exit_status(), said.decode(errors="replace"), wrong.decode(errors="replace").strip()


def _start(transport: Transport, command: str) -> Channel:
    channel = transport.open_session(timeout=SECONDS)
    channel.settimeout(SECONDS)
    channel.exec_command(f"LC_ALL=C {command}" if command.startswith("sudo ") else command)
    return channel


def _answer(channel: Channel) -> tuple[int, str]:
    status, said, wrong = output(channel)
    return status, wrong or said.strip()
