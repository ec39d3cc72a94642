"""How requests reach the agent on a host: one command, everything else over standard input."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import click
import gevent
from pyinfra.api.command import PyinfraCommand, StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.output import format_text
from pyinfra.context import ctx_host, ctx_state

from roles.kit.line import CUT_OFF, connector_arguments, line_of
from roles.kit.permit import permit
from roles.kit.progress import progress
from roles.kit.wire import COMMAND, lines

# A host whose kernel has said nothing for half a minute is gone: asked after 10 s, then every 5 s, four times.
SILENCE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 30_000}


class Question(FactBase[dict[str, Any]]):
    """An answer of the agent; the question goes in as `_stdin=lines(request)`."""

    def command(self) -> str:
        return COMMAND

    @staticmethod
    def default() -> dict[str, Any]:
        return {}

    def process(self, output: list[str]) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(output[-1])
        return answer


def send(state: Any, host: Any, request: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """One request outside of any operation: (the answer, ""), or ({}, why there is none)."""
    line = line_of(host)
    try:
        if line and (reply := line.carry(request)):
            said, errors, done = reply.said, reply.errors, reply.done
        else:
            arguments = {**connector_arguments(state, host), "_stdin": lines(request)}
            done, output = host.run_shell_command(StringCommand(COMMAND), **arguments)
            said, errors = output.stdout_lines, output.stderr_lines
        if done:
            return Question().process(said), ""
        return {}, "\n".join(errors) or "the agent ended without a word"
    except (*CUT_OFF, ValueError, LookupError) as error:
        return {}, f"{type(error).__name__}: {error}"


class Step(PyinfraCommand):
    """One step for the agent. What it prints is shown; its request never is."""

    def __init__(self, title: str, request: Mapping[str, Any], stream: bool = False) -> None:
        super().__init__()
        self.title, self.request, self.stream = title, request, stream

    def __repr__(self) -> str:
        return f"Step({self.title})"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """Carry the step out; on failure the agent's words are shown with the host's name."""
        request = {**self.request, "fence": permit.show()}
        loud = self.stream or state.print_output
        done = False
        said: list[str] = []
        with progress.step(host.name, self.title), suppress(*CUT_OFF):
            done, said = self._carry_out(host, request, connector_arguments, loud)
        if not done and not loud:
            for line in said:
                host.log_styled(f"{self.title}: {line}", fg="red")
        if not done and not said:
            host.log_styled(
                f"{self.title}: the connection was lost before it ended. What was begun may go on there; once "
                f"{host.name} can be reached, run this again",
                fg="red",
            )
        return bool(done)

    def _carry_out(
        self, host: Any, request: Mapping[str, Any], arguments: Mapping[str, Any], loud: bool
    ) -> tuple[bool, list[str]]:
        """By the agent that stays there if it is free; what goes on beside others takes one of its own."""
        line = None if request.get("beside") else line_of(host, arguments)
        tell = partial(_show, host) if loud else None
        if line and (reply := line.carry(request, tell)):
            if request["do"] == "packages":
                line.renew()
            return reply.done, reply.errors or reply.said
        done, output = host.run_shell_command(
            StringCommand(COMMAND), print_output=loud, print_input=False, **{**arguments, "_stdin": lines(request)}
        )
        return done, output.stderr_lines or output.stdout_lines


def _show(host: Any, text: str, wrong: bool) -> None:
    """A line of a step under way, as pyinfra shows it."""
    click.echo(f"{host.print_prefix}{format_text(text, 'red') if wrong else text}", err=True)


def keepalive_transport(sock: socket.socket, **kwargs: Any) -> Any:
    """Paramiko's transport, on a socket without Nagle's algorithm: 48 ms a command become 4.

    A host that died in the middle of a step says nothing any more, and a kernel by itself would wait for two hours.
    """
    import paramiko

    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in SILENCE.items():
        if option := getattr(socket, name, None):  # not every system has all of them
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
    return paramiko.Transport(sock, **kwargs)


class Begun(PyinfraCommand):
    """Steps that are carried out one after the other while the run goes on."""

    def __init__(self, steps: list[Step]) -> None:
        super().__init__()
        self.steps = steps
        self.outcome: gevent.Greenlet | None = None
        self.entries: list[Any] = []  # in the journal of the run

    def __repr__(self) -> str:
        return f"Begun({self.steps})"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """Begin, and be done with it."""

        def work() -> bool:
            with ctx_state.use(state), ctx_host.use(host):
                return all(step.execute(state, host, connector_arguments) for step in self.steps)

        self.outcome = gevent.spawn(work)
        return True


class Awaited(PyinfraCommand):
    """The end of steps that were begun."""

    def __init__(self, begun: Begun) -> None:
        super().__init__()
        self.begun = begun

    def __repr__(self) -> str:
        return f"Awaited({self.begun})"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """Whether they succeeded; what failed was shown as it happened."""
        return self.begun.outcome is not None and bool(self.begun.outcome.get())
