"""When a service counts as crashing repeatedly."""

from __future__ import annotations

import io
import struct
import time
from typing import Any

import pytest

from nexus.agent.systemd import life
from nexus.agent.systemd_bus import Answer


def service(state: str, sub: str, restarts: int, up: float | None) -> dict[str, Any]:
    """The result for a service in this state, with this number of restarts, active for this many seconds."""
    since = 0 if up is None else int((time.clock_gettime(time.CLOCK_MONOTONIC) - up) * 1e6)
    told = {"ActiveState": state, "SubState": sub, "NRestarts": str(restarts)}
    return life({**told, "ActiveEnterTimestampMonotonic": str(since)})


@pytest.mark.parametrize(
    ("state", "sub", "restarts", "up", "crashing"),
    [
        ("active", "running", 0, 1.0, False),
        ("active", "running", 1, 1.0, True),  # seconds ago
        ("active", "running", 1, 20.0, False),  # one crash is tolerated
        ("active", "running", 3, 20.0, True),  # between two crashes
        ("active", "running", 3, 3600.0, False),  # long ago
        ("activating", "auto-restart", 1, None, True),
        ("activating", "auto-restart-queued", 1, None, True),
        ("activating", "start-pre", 1, 2.1, True),  # systemd restarts it once more
        ("activating", "start-pre", 1, 3600.0, False),  # after a long time of work
        ("activating", "start-pre", 0, 2.1, False),  # started by hand
        ("activating", "start", 0, None, False),
    ],
)
def test_a_service_that_does_not_stay_up(state: str, sub: str, restarts: int, up: float | None, crashing: bool) -> None:
    found = service(state, sub, restarts, up)
    assert (found["crashing"], found["restarts"]) == (crashing, restarts)
    if up is not None:
        assert found["up"] == pytest.approx(up, abs=0.5)


def test_waiting_and_failed_units_are_not_crashing() -> None:
    assert life({"ActiveState": "active", "SubState": "waiting"}) == {}
    assert life({"ActiveState": "failed", "SubState": "failed", "NRestarts": "5"}) == {}


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"\x01u\0" + b"\0" + struct.pack("<I", 7), "7"),
        (b"\x01t\0" + bytes(5) + struct.pack("<Q", 5091392611), "5091392611"),
        (b"\x01b\0" + b"\0" + struct.pack("<I", 1), "yes"),
        (b"\x01s\0" + b"\0" + struct.pack("<I", 2) + b"J\xfc\0", "J\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_property_as_systemd_sends_it(body: bytes, value: str) -> None:
    head = struct.pack("<cBxxIxxxxI", b"l", 2, len(body), 0)
    assert Answer(io.BytesIO(head + body)).value() == value
