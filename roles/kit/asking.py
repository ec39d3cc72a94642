"""How a run asks hosts, by the agent that waits for the question already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pyinfra.api.exceptions import PyinfraError
from pyinfra.context import state

from roles.kit.error import OperatorError
from roles.kit.line import Line, line_of
from roles.kit.model import code
from roles.kit.permit import permit
from roles.kit.progress import progress
from roles.kit.transport import Question, send
from roles.kit.wire import lines


class Asking:
    """Questions to any host of a run, whichever host they are asked for."""

    @staticmethod
    def expect(state: Any, host: Any) -> None:
        """A host is connected and will be asked something: its agent may start."""
        Line(state, host)

    def ask(self, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send one question to the agent of a host, whichever host this is called for."""
        request = {**request, "fence": permit.number}  # so that it need not wait for what this run has begun
        with progress.step(name, "answering"):
            answer = _briefly(name, request) or _asked(name, request)
        if not answer:
            raise OperatorError(f"{name} gave no answer; what it said stands above")
        return answer

    def ask_source(
        self,
        name: str,
        source: Path,
        names: list[str],
        context: Mapping[str, Any],
        libraries: Iterable[str] = (),
    ) -> dict[str, Any]:
        """The answer of a role's own probe on any host: {item: properties}; OperatorError when it fails."""
        request = {"do": "ask", **code(source, libraries), "names": names, "context": dict(context)}
        reply = self.ask(name, request)
        if "error" in reply:
            raise OperatorError(f"{name}: {source.parent.name} could not be asked: {reply['error']}")
        items: dict[str, Any] = reply["items"]
        return items

    def reaches(self, name: str) -> bool:
        """Whether this run is connected to the host."""
        found = state.inventory.get_host(name, default=None)
        return found is not None and found in state.activated_hosts


def _briefly(name: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of the agent that stays there; nothing where it has none: who asks again is told why."""
    host = state.inventory.get_host(name)
    return send(state, host, request)[0] if line_of(host) else {}


def _asked(name: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The agent's answer by a command of its own; OperatorError where the host, or the way to it, fails."""
    try:
        answer: dict[str, Any] = state.inventory.get_host(name).get_fact(Question, _stdin=lines(request))
    except (PyinfraError, EOFError):
        raise OperatorError(
            f"{name} gave no answer: the connection was lost, or what it said stands above. Once {name} can be "
            "reached and asked, run this again"
        ) from None
    return answer
