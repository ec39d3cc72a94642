"""The reboot of a host, as a run sees it: its connection ends, and another boot answers."""

import time
from pathlib import Path
from typing import Any

import gevent
from pyinfra.api.exceptions import PyinfraError

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import carry_out
from nexus.transport.agent_session import CUT_OFF
from nexus.transport.host_client import HostClient
from nexus.transport.progress import progress

SOURCE = Path(__file__).parent / "host/reboot.py"
POLL_SECONDS, ANSWER_SECONDS = 2.0, 20.0


def reboot(run: Run, name: str, seconds: float) -> None:
    """Reboot a host and wait until it answers again; OperatorError if it does not in this time."""
    before = state(name)["boot"]
    carry_out(run, name, "reboot", SOURCE, "begin", {})
    deadline = time.monotonic() + seconds
    with progress.step(name, "rebooting"):
        while not _another(name, before):
            if time.monotonic() > deadline:
                raise OperatorError(
                    f"{name} was rebooted and does not answer after {seconds:.0f} s: look at its console and power"
                )
            gevent.sleep(POLL_SECONDS)
    run.hosts.drop_all()


def state(name: str) -> dict[str, Any]:
    """The id of the host's boot, and why another one is due: see host/reboot.py."""
    found: dict[str, Any] = HostClient(name).act_aside(SOURCE, "state", {}, ANSWER_SECONDS)
    return found


def _another(name: str, before: str) -> bool:
    """Whether the host answers with another boot than before."""
    try:
        return HostClient(name).reconnect() and bool(state(name)["boot"] != before)
    except (PyinfraError, *CUT_OFF):
        return False
