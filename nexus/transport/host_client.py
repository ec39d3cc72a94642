"""The only way to a host: every request to an agent goes through here, inside and outside of operations."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
from pyinfra.api.command import StringCommand
from pyinfra.context import ctx_state

from nexus import console
from nexus.error import OperatorError
from nexus.plan.desired import owner
from nexus.transport import printable, protocol
from nexus.transport.agent_session import CUT_OFF, OnLine, Reply, connector_arguments, session_of
from nexus.transport.fencing_token import permit
from nexus.transport.progress import progress
from nexus.transport.ssh_client import lost_way

ANSWER_SECONDS = 30.0  # a host that does not answer for this long counts as dead
COMMANDS = ("$ ", "> ")  # how lines of commands and of files begin: see nexus/agent/lib.py
Failed = Callable[[Any, list[str]], None]  # called with pyinfra's state and the last lines of a failed step


class HostClient:
    """Sends requests to one host of pyinfra's inventory.

    `arguments` are pyinfra's arguments for the connector, such as sudo; by default those of a command outside of
    operations.
    """

    def __init__(self, name: str, state: Any = None, arguments: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self._state = state or ctx_state.get()
        self._host = self._state.inventory.get_host(name, default=None)
        self._arguments = arguments

    def connect(self) -> bool:
        """Connect if necessary; returns whether there is a connection, since --limit may have left the host out."""
        if self._host is not None and not self._host.connected:
            self._host.connect(show_errors=False)
        return self._host is not None and bool(self._host.connected)

    def reconnect(self) -> bool:
        """Connect again, to a host that was rebooted; returns whether that was possible now."""
        with suppress(*CUT_OFF):
            self._host.disconnect()
        if client := getattr(self._host.connector, "client", None):
            client.close()
        self._host.connected = False
        reached = self.connect()
        if reached and (session := session_of(self._host, connector_arguments(self._state, self._host))):
            session.renew()
        return reached

    def send(self, request: Mapping[str, Any], on_line: OnLine | None = None) -> Reply:
        """Send a request to the agent that stays there, if it is free and was started with the same arguments.

        Otherwise the request gets its own command, as it always does if the run continues in parallel. `on_line` is
        called with every line of standard output, as it comes if the agent that stays prints it.
        """
        arguments = self._arguments or connector_arguments(self._state, self._host)
        session = None if request.get("parallel") else session_of(self._host, arguments)
        try:
            if session and (reply := session.carry(request, on_line)):
                if request.get("kind") == "packages":
                    session.renew()
                return reply
            arguments = {**arguments, "_stdin": protocol.lines(request)}
            command = StringCommand(protocol.COMMAND)
            done, output = self._host.run_shell_command(command, print_output=False, print_input=False, **arguments)
        except CUT_OFF as error:
            return Reply(False, [], [], error)
        said, errors = (list(map(printable.text, lines)) for lines in (output.stdout_lines, output.stderr_lines))
        if on_line:
            for line in said:
                on_line(line)
        return Reply(done, said, errors)

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a question; OperatorError if there is none."""
        # With the run's number, so that the question does not wait for steps of this run.
        request = {**request, "fence": permit.number, "debug": bool(self._state.print_noop_info)}
        self._require_connection()
        with progress.step(self.name, "answering"):
            reply = self.send(request)
            if reply.lost:  # perhaps only the agent is gone, and a question can be asked twice
                reply = self.send(request)
        answer: dict[str, Any] = self._answer(reply)
        return answer

    def ask_source(
        self, source: Path, names: list[str], context: Mapping[str, Any], named: Iterable[str] = ()
    ) -> dict[str, Any]:
        """The answer of a role's own probe: {item: properties}; OperatorError if it fails.

        `named` are modules that the probe imports by names in its context.
        """
        reply = self.ask(protocol.question(source, names, context, named))
        if "error" in reply:
            raise OperatorError(f"{self.name}: {owner(source)} could not be probed: {reply['error']}")
        items: dict[str, Any] = reply["items"]
        return items

    def act_aside(
        self, source: Path, function: str, context: Mapping[str, Any], seconds: float = ANSWER_SECONDS
    ) -> Any:
        """The answer of an action that does not wait for steps under way; OperatorError if it fails."""
        return self._answered_within(seconds, protocol.action(source, function, context, alone=False))

    def claim(self, number: int, seconds: float) -> dict[str, int]:
        """Make the host refuse every run with a lower number from now on; returns what it knew: {"run", "steps"}.

        Waits for a step that another run left under way there.
        """
        with progress.step(self.name, "waiting for steps that another run left under way"):
            known: dict[str, int] = self._answered_within(seconds, {"do": "claim", "fence": number})
            return known

    def carry_out(
        self, title: str, request: Mapping[str, Any], stream: bool = False, failed: Failed | None = None
    ) -> bool:
        """Carry out a step, or an action with `alone`; returns whether it succeeded. Errors name the host.

        Its title, the commands that it runs and the files that it writes are details; with `stream` what else it
        prints is for every operator to read. Its request is never printed.
        """
        verbose = bool(self._state.print_noop_info)  # -v
        request = {**request, "fence": permit.show(), "debug": verbose, "commands": True}
        console.detail(f"{self._host.print_prefix}{title}")
        with progress.step(self.name, title) as number:

            def on_line(text: str) -> None:
                command = text.startswith(COMMANDS)
                (console.say if stream and not command else console.detail)(f"{self._host.print_prefix}{text}")
                if not command:
                    progress.note(number, text)

            reply = self.send(request, on_line)
        reasons = reply.errors if reply.done else self._reasons(reply)
        for line in reasons:
            (console.detail if reply.done else console.complain)(f"{self._host.print_prefix}{title}: {line}")
        if failed and not reply.done:
            failed(self._state, reasons)
        return reply.done

    def _reasons(self, reply: Reply) -> list[str]:
        """Lines that tell why a step failed."""
        if said := reply.errors or [line for line in reply.said if not line.startswith(COMMANDS)]:
            return said
        return [
            f"the connection was lost before this step ended{lost_way(self._host)}. The step may continue on the host; "
            f"once {self.name} can be reached, rerun"
        ]

    def _require_connection(self) -> None:
        if not self.connect():
            raise OperatorError(f"{self.name} cannot be reached")

    def _answered_within(self, seconds: float, request: Mapping[str, Any]) -> Any:
        self._require_connection()
        with gevent.Timeout(seconds, False):
            return self._answer(self.send(request))
        raise OperatorError(f"{self.name} did not answer within {seconds:.0f} s")

    def _answer(self, reply: Reply) -> Any:
        """The last line of a reply, or None; OperatorError if the request failed."""
        if not reply.done and reply.errors:
            raise OperatorError(f"{self.name}: " + "\n".join(reply.errors))
        if not reply.done:
            why = f": {reply.lost}".rstrip(".") if str(reply.lost or "") else ""
            raise OperatorError(
                f"{self.name} did not answer: the connection was lost{lost_way(self._host)}{why}. Once {self.name} can "
                "be reached, rerun"
            )
        try:
            return printable.answer(reply.said[-1]) if reply.said else None
        except ValueError:
            raise OperatorError(f"{self.name} gave an invalid answer: {reply.said[-1][:200]}") from None


def first_reached(names: Iterable[str], what: str) -> str:
    """The first of these hosts that can be reached; OperatorError says what one of them is needed for."""
    known = list(names)
    if found := next((name for name in known if HostClient(name).connect()), None):
        return found
    raise OperatorError(f"none of {', '.join(known)} can be reached, and one of them {what}: bring one back online")
