"""Reloads of the running router: which configuration it answers with, and what its workers hand over."""

from __future__ import annotations

import re
from pathlib import Path

from tests.plan.real_edge import Edge, wait_until


def running_stamp(edge: Edge) -> str | None:
    """The configuration that the router's workers report."""
    return edge.ask_router(None, path="/health").headers["X-Router-Config"]


def reloaded(edge: Edge, kept: dict[str, object] | None = None, **settings: object) -> str:
    """Reload the router with these changed settings and kept values; its stamp."""
    stamp = edge.write_router(kept, **settings)
    edge.reload_router()
    wait_until(lambda: running_stamp(edge) == stamp, "new workers")
    return stamp


def alone(edge: Edge) -> bool:
    """Whether only one worker answers: an old worker takes a last request on each of Nginx's connections."""
    edge.get("/api/orders/x")
    master = edge.processes[0].pid
    return len(Path(f"/proc/{master}/task/{master}/children").read_text().split()) == 1


def hands_over(edge: Edge) -> bool:
    """Whether the next reload keeps counts: HAProxy's worker hands them over once it received those of its predecessor,
    or waited five seconds for them, as the first worker does.
    """
    flags = re.search(r" id=reload .* flags=0x([0-9a-f]+)", edge.tell_router("show peers"))
    return bool(flags and int(flags[1], 16) & 3 == 3)


def addresses(edge: Edge, backend: str) -> list[str]:
    """Addresses of a backend's places for tasks, "-" where there is none."""
    rows = [line.split() for line in edge.tell_router(f"show servers state {backend}").splitlines()]
    return [row[4] for row in rows if row[1:2] == [backend]]
