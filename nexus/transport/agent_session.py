"""An agent that stays on its host for the whole run: it starts while the controller plans, and carries out one request
after another, each in its own process, as if it had been started for that request alone.

This saves a command over SSH, sudo and a Python process for every request: 50 ms of the host's processor.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import gevent
from gevent import subprocess
from gevent.lock import BoundedSemaphore
from paramiko import SSHClient, SSHException
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS, pop_global_arguments
from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import PyinfraError
from pyinfra.connectors.local import LocalConnector
from pyinfra.connectors.util import make_unix_command_for_host

from nexus.agent import ASKING
from nexus.transport import printable, protocol

CUT_OFF = (OSError, EOFError, SSHException)  # raised by a lost connection
EXECUTION = ("_get_pty", "_timeout", "_stdin", "_success_exit_codes")  # for the connector, not for the command itself
OnLine = Callable[[str], None]  # called with each line of standard output as it comes


class Reply(NamedTuple):
    """The result of a request: whether it was carried out, and the lines that it wrote.

    `lost` is the error if the connection was lost: the request may continue on the host. If pyinfra's own connection is
    lost during a separate command, there are no lines at all.
    """

    done: bool
    said: list[str]
    errors: list[str]
    lost: BaseException | None = None


class AgentSession:
    """The agent of one host, and the connection to it."""

    def __init__(self, state: Any, host: Any) -> None:
        self.arguments = connector_arguments(state, host)
        self._state, self._host = state, host
        self._turn = BoundedSemaphore()
        self._streams: tuple[Any, Any, Any] | None = None
        self._sent: set[str] = set()
        self._opening = gevent.spawn(self._open)
        _sessions[host] = self

    def carry(self, request: Mapping[str, Any], on_line: OnLine | None = None) -> Reply | None:
        """The reply; None if this agent cannot take the request now: then nothing was begun.

        Raises one of CUT_OFF if the connection was lost after the request was sent: it may continue on the host.
        """
        if not self._turn.acquire(blocking=False):
            return None
        try:
            self._opening.join()
            if not self._send(request):
                return None
            try:
                return self._reply(on_line)
            except BaseException:
                self.close()
                raise
        finally:
            self._turn.release()

    def renew(self) -> None:
        """Continue with a new agent, which can use programs and libraries installed in the meantime."""
        self.close()
        self._opening = gevent.spawn(self._open)

    def close(self) -> None:
        """Let the agent end after its current request, and stop using it."""
        if streams := self._streams:
            self._streams = None
            with suppress(*CUT_OFF):
                streams[0].close()

    def _open(self) -> None:
        """Start the agent and wait for its first line. Errors are not reported here: a later request reports them."""
        try:
            shell = {key: value for key, value in self.arguments.items() if key not in EXECUTION}
            command = make_unix_command_for_host(self._state, self._host, StringCommand(protocol.PYTHON), **shell)
            if not (streams := _streams(self._host.connector, command.get_raw_value())):
                return
            first = f"{protocol.agent(ASKING, stays=True)}\n"
            streams[0].write(first.encode())
            streams[0].flush()
            self._sent = set(ASKING)
            self._streams = streams
            self._reply(None)
        except (*CUT_OFF, ValueError, PyinfraError):  # the last if sudo's password cannot be given
            self.close()

    def _send(self, request: Mapping[str, Any]) -> bool:
        """Send the request, with the modules that the agent lacks for it; returns whether it was sent."""
        if not self._streams:
            return False
        missing = [name for name in protocol.needed(request) if name not in self._sent]
        try:
            text = protocol.sealed({**request, "modules": protocol.sources(missing)})
            self._streams[0].write(f"{text}\n".encode())
            self._streams[0].flush()
        except CUT_OFF:
            self.close()
            return False
        self._sent.update(missing)
        return True

    def _reply(self, on_line: OnLine | None) -> Reply:
        assert self._streams
        _, output, errors = self._streams
        readers = [gevent.spawn(_read, output, on_line), gevent.spawn(_read, errors)]
        try:
            gevent.joinall(readers)
        finally:
            gevent.killall(readers)
        if None in (ends := [reader.value for reader in readers]):
            raise EOFError("the agent ended before it finished its answer")
        (said, status), (wrong, _) = ends
        if status and not said and not wrong:
            wrong.append("the agent ended without any output")
        return Reply(status == 0, said, wrong)


_sessions: dict[Any, AgentSession] = {}


def session_of(host: Any, arguments: Mapping[str, Any]) -> AgentSession | None:
    """The agent that stays on a host, if there is one that was started with these arguments of a command."""
    found = _sessions.get(host)
    wanted = {key: value for key, value in arguments.items() if key in CONNECTOR_ARGUMENT_KEYS}
    return found if found and wanted == found.arguments else None


def close_all() -> None:
    """Let all agents end: the run is over."""
    for session in _sessions.values():
        session.close()
    _sessions.clear()


def connector_arguments(state: Any, host: Any) -> dict[str, Any]:
    """How pyinfra runs a command on a host outside of operations: with sudo or not, and as which user."""
    known, _ = pop_global_arguments(state, host, {})
    return {key: value for key, value in known.items() if key in CONNECTOR_ARGUMENT_KEYS}


def _streams(connector: Any, command: str) -> tuple[Any, Any, Any] | None:
    """Standard input, output and errors of a command; None if this kind of connection has no lasting streams."""
    if isinstance(connector, LocalConnector):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, shell=True, **pipes)
        return process.stdin, process.stdout, process.stderr
    client = getattr(connector, "client", None)
    return client.exec_command(command) if isinstance(client, SSHClient) else None


def _read(stream: Any, on_line: OnLine | None = None) -> tuple[list[str], int] | None:
    """Lines up to the end of a reply, and its exit status; None if the reply has no end."""
    found: list[str] = []
    with suppress(*CUT_OFF):  # the waiting caller reports it, not gevent
        while line := stream.readline():
            text = (line if isinstance(line, str) else line.decode(errors="replace")).rstrip("\n")
            if text.startswith(protocol.END):
                return found, int(text[1:])
            text = printable.text(text)
            found.append(text)
            if on_line:
                on_line(text)
    return None
