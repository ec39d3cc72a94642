"""The end of a run's output: what is not healthy, the reasons, and one closing line."""

import sys
import time

from pyinfra.context import ctx_state, state

from nexus import console
from nexus.run.interruption import Interrupted
from nexus.run.run import Run


def summarise(run: Run) -> None:
    """Print the conclusions of roles, such as the table of what is not healthy, and the closing line."""
    if not ctx_state.isset() or not state.initialised or not state.activated_hosts:
        return
    run.hosts.memory.save()
    if run.report:
        return
    for conclusion in run.outcome.conclusions.values():
        conclusion.tell()
    console.end(closing_line(run))


def closing_line(run: Run) -> str:
    """Return the closing line, such as `lab: 8 hosts, 57 changes, 43/43 services healthy (48 s)`."""
    environment = run.environment
    hosts = len(state.activated_hosts)
    changes = run.outcome.proposed if run.dry else sum(len(found) for found in run.outcome.changes.values())
    kind = "changes to make" if run.dry else "change" if changes == 1 else "changes"
    parts = [f"{hosts} host{'s' * (hosts != 1)}", f"{changes} {kind}"]
    if run.outcome.missed is not None:
        parts[1] = f"{run.outcome.missed or 'no'} target{'s' * (run.outcome.missed != 1)} missed"
    parts += [part for conclusion in run.outcome.conclusions.values() for part in conclusion.parts()]
    parts += run.outcome.findings.values()
    if run.left_out:
        parts.append(f"without {', '.join(sorted(run.left_out))}")
    if run.outcome.missed is None and (state.failed_hosts or sys.exc_info()[0] not in (None, SystemExit)):
        begun = run.outcome.journal.unfinished() if isinstance(sys.exc_info()[1], Interrupted) else {}
        names = ", ".join(sorted({host.name for host in state.failed_hosts} | set(begun)))
        if begun:
            parts.insert(2, f"{sum(begun.values())} more begun")
        parts.append(f"INCOMPLETE{f' on {names}' if names else ''}")
    return f"{environment.name}: {', '.join(parts)} ({time.monotonic() - run.started:.1f} s)"
