"""Which run may change this host: the one with the highest number that was ever seen here.

A run that slept and lost the environment's lock comes back with a number that is too low.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from nexus.agent.file import write_atomic
from nexus.agent.lib import FENCE, STATE, RemoteError, read_fence


def enter(request: Mapping[str, Any]) -> None:
    """Refuse requests of an older run; count a step before it begins, and note the number of a new run.

    A claim changes nothing else. It prints what was noted before: if the number of steps has changed since a run
    planned, its plan is out of date.
    """
    known, number = read_fence(), request.get("fence")
    if number is None and not known["run"]:
        return
    if number is None or number < known["run"]:
        raise RemoteError(
            f"refused: this run holds number {number} of the environment's lock, but run {known['run']} has taken the "
            "lock over since. Rerun it; deploys/history.py shows what the other run did"
        )
    claims = request["do"] == "claim"
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    text = json.dumps({"run": number, "steps": known["steps"] + (not claims)})
    write_atomic(FENCE, text.encode(), 0o644)
    if claims:
        print(json.dumps(known))
