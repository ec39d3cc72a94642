"""Verification: an operation that asks hosts and changes nothing; the run fails where an answer is wrong."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyinfra import logger
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import operation

from nexus.pyinfra_patches import identity
from nexus.run.host_state import executing
from nexus.run.run import Run, current_run
from nexus.transport.progress import progress


@dataclass(frozen=True)
class Finding:
    """The result: its part of the closing line, and lines to print. Any line in `failed` fails the run."""

    text: str
    failed: Sequence[str] = ()
    known: Sequence[str] = ()  # failures that are expected


Ask = Callable[[Run, str], Finding]  # of the run and the name of this host


def verify(title: str, subject: str, ask: Ask) -> None:
    """Call `ask` when the operations before this one have ended; `subject` is what progress calls it meanwhile."""
    current_run().reading.add(identity(_verify(subject, ask, name=title)))


@operation()
def _verify(subject: str, ask: Ask) -> Iterator[PyinfraCommand]:
    if executing():
        yield _Verify(subject, ask)


class _Verify(PyinfraCommand):
    """The questions as a command, so that it can fail."""

    def __init__(self, subject: str, ask: Ask) -> None:
        super().__init__()
        self.subject, self.ask = subject, ask

    def __repr__(self) -> str:
        return f"Verify({self.subject})"

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """True when nothing failed that is not known to fail."""
        run = current_run()
        with progress.step(host.name, self.subject):
            found = self.ask(run, host.name)
        for line in found.known:
            logger.warning(f"    {line}")
        for line in found.failed:
            logger.error(f"    {line}")
        run.outcome.findings[self.subject] = found.text
        return not found.failed
