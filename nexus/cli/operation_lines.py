"""One line for each operation that did something: its name, its hosts, the number of changes and the duration."""

import time
from typing import Any

from pyinfra.api.state import BaseStateCallback

from nexus import console
from nexus.pyinfra_patches import replace
from nexus.run.run import Run


def install(run: Run, state: Any, verbose: bool) -> None:
    """Print these lines, and pyinfra's own table of operations only with -v."""
    state.add_callback_handler(_Lines(run))
    if not verbose:
        replace("results", lambda _: lambda *_: None)


class _Lines(BaseStateCallback):
    """Prints the lines. Operations run one after the other, each on all hosts in parallel."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._began = 0.0
        self._before: dict[str, int] = {}

    def _changes(self) -> dict[str, int]:
        return {name: len(changes) for name, changes in self._run.outcome.changes.items()}

    def operation_start(self, state: Any, op_hash: str) -> None:
        """Store the start time and the number of changes so far."""
        self._began, self._before = time.monotonic(), self._changes()

    def operation_end(self, state: Any, op_hash: str) -> None:
        """Print a line if the operation changed something or sent a command to a host."""
        made = {name: count - self._before.get(name, 0) for name, count in self._changes().items()}
        made = {name: count for name, count in made.items() if count}
        hosts = set(made) or {host.name for host in state.inventory if _carried_out(state, host, op_hash)}
        if not hosts or op_hash in self._run.reading:
            return
        names = ", ".join(sorted(name.rpartition(" | ")[2] for name in state.op_meta[op_hash].names))
        count = f"{_counted(sum(made.values()), 'change')}" if made else ""
        seconds = time.monotonic() - self._began
        console.say(f"{names:<44} {_where(hosts):<10} {count:>12} {seconds:>7.1f} s")


def _where(hosts: set[str]) -> str:
    return next(iter(hosts)) if len(hosts) == 1 else f"{len(hosts)} hosts"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _carried_out(state: Any, host: Any, op_hash: str) -> bool:
    found = state.ops.get(host, {}).get(op_hash)
    return found is not None and found.operation_meta.is_complete() and bool(found.operation_meta.did_change())
