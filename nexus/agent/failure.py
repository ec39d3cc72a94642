"""Steps of other hosts that failed in this run: a host that waits for one of them reads the reason and stops waiting.

The controller leaves a note on hosts that work on the same role. A waiting step reads it here.
"""

import contextlib
import json
import os
import time
from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import RemoteError, read_fence

DIRECTORY = "/run/nexus-cos/failed"
GRACE_SECONDS = 10  # what is waited for may still come from a third host


def note(context: Mapping[str, Any]) -> None:
    """Leave the word: {"run", "role", "host", "why"}."""
    os.makedirs(DIRECTORY, mode=0o700, exist_ok=True)
    fresh = f"{DIRECTORY}/.{context['role']}"
    with open(fresh, "w") as stream:
        json.dump(dict(context), stream)
    os.rename(fresh, f"{DIRECTORY}/{context['role']}")


def expect_others(role: str) -> None:
    """RemoteError where another host has failed in this role, in this run and some seconds ago."""
    path = f"{DIRECTORY}/{role}"
    with contextlib.suppress(FileNotFoundError, ValueError), open(path, errors="replace") as stream:
        told = json.load(stream)
        late = time.time() - os.fstat(stream.fileno()).st_mtime > GRACE_SECONDS
        if late and told["run"] == read_fence()["run"]:
            raise RemoteError(f"{told['host']} failed, and this host waited for it. There: {told['why']}")
