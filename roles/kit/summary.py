"""The end of a run in words: what is not healthy and why, and one line that says it all."""

from __future__ import annotations

import sys
import time
from collections import defaultdict

import click
from pyinfra.context import ctx_state, state

from roles.kit.run import Run

SAME = 5  # more services than this with one reason are told in one line


def summarise(run: Run) -> None:
    """Print the table of what is not healthy, if anything is not, and the closing line."""
    if not ctx_state.isset() or not state.initialised or not state.activated_hosts:
        return
    run.remember()
    if run.report:
        return
    reasons: dict[str, list[str]] = defaultdict(list)
    for service, why in sorted((run.health or {}).items()):
        if why:
            reasons[why].append(service)
    for why, services in reasons.items():
        if len(services) > SAME:
            click.secho(f"  {len(services)} services: {why}", fg="red", err=True)
        for service in services if len(services) <= SAME else [name for name in services if name in run.logs]:
            click.secho(f"  {service:32} {why}", fg="red", err=True)
            for line in run.logs.get(service, []):
                click.echo(f"  {'':32} | {line}", err=True)
    click.echo(closing_line(run), err=True)


def closing_line(run: Run) -> str:
    """Such as `lab: 8 hosts, 57 changes, 43/43 services healthy (48 s)`."""
    environment = run.environment
    hosts = len(state.activated_hosts)
    dry = click.get_current_context().params["dry"]
    changes = run.proposed if dry else sum(len(found) for found in run.changes.values())
    kind = "changes to make" if dry else "change" if changes == 1 else "changes"
    parts = [f"{hosts} host{'s' * (hosts != 1)}", f"{changes} {kind}"]
    if run.missed is not None:
        parts[1] = f"{run.missed or 'no'} target{'s' * (run.missed != 1)} missed"
    if run.health is not None:
        healthy = sum(1 for why in run.health.values() if not why)
        parts.append(f"{healthy}/{len(run.health)} services healthy")
    parts += run.findings.values()
    if run.left_out:
        parts.append(f"without {', '.join(sorted(run.left_out))}")
    if absent := absent_stores(run):
        parts.append(f"absent here: {', '.join(absent)}")
    if run.missed is None and (state.failed_hosts or sys.exc_info()[0] not in (None, SystemExit)):
        names = ", ".join(sorted(host.name for host in state.failed_hosts))
        parts.append(f"NOT COMPLETE{f' on {names}' if names else ''}")
    return f"{environment.name}: {', '.join(parts)} ({time.monotonic() - run.started:.1f} s)"


def absent_stores(run: Run) -> list[str]:
    """Stores that some service of the catalogue declares and does without in this environment."""
    if run.health is None:
        return []
    env = run.environment
    wanted = {(store, service.name) for service in env.catalogue.services.values() for store in service.stores}
    return sorted({store for store, service in wanted if not env.present(store, service)})
