"""Steps as commands of pyinfra's operations: to carry out, begin or await them."""

from collections.abc import Mapping
from typing import Any

import gevent
from pyinfra.api.command import PyinfraCommand
from pyinfra.context import ctx_host, ctx_state

from nexus.transport.host_client import Failed, HostClient


class Step(PyinfraCommand):
    """One step for the agent. Its output is shown. Its request is never shown."""

    def __init__(
        self, title: str, request: Mapping[str, Any], stream: bool = False, failed: Failed | None = None
    ) -> None:
        super().__init__()
        self.title, self.request, self.stream, self.failed = title, request, stream, failed

    def __repr__(self) -> str:
        return f"Step({self.title})"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """Carry out the step and return True on success. On failure, print the agent's error with the host's name."""
        client = HostClient(host.name, state, connector_arguments)
        return client.carry_out(self.title, self.request, self.stream, self.failed)


class Begun(PyinfraCommand):
    """Steps that run one after the other while the run continues."""

    def __init__(self, steps: list[Step]) -> None:
        super().__init__()
        self.steps = steps
        self.outcome: gevent.Greenlet | None = None
        self.entries: list[Any] = []  # in the journal of the run

    def __repr__(self) -> str:
        return f"Begun({self.steps})"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """Begin the steps and return True at once."""

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
        """Wait for the steps, and return True if all succeeded. Errors were printed when they happened."""
        return self.begun.outcome is not None and bool(self.begun.outcome.get())
