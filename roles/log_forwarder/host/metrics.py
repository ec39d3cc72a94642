"""Runs on a host: how far its log forwarder is behind, what it lost, and lines by service. Changes nothing."""

import json
import time
from collections.abc import Iterator

from nexus.agent.lib import run
from nexus.agent.metrics import Sample
from roles.log_forwarder.host.state import read

SECONDS = 60


def samples(words: list[str]) -> Iterator[Sample]:
    """All metrics of the forwarder whose state is in the directory that is named."""
    sent = read(words[0])
    yield "nexus_log_forwarder_behind_seconds", {}, behind(sent.get("cursor", ""))
    yield "nexus_log_forwarder_lost_lines_total", {}, sent.get("lost", 0)
    lines = sent.get("lines", {})
    none = {f"{name.rpartition(' ')[0]} error": 0 for name in lines}  # so that the first error counts as a rise
    for name, count in {**none, **lines}.items():
        service, _, level = name.rpartition(" ")
        yield "nexus_log_lines_total", {"service": service, "level": level}, count


def behind(cursor: str) -> float:
    """The age of the oldest line that was not sent, in seconds; 0 if there is none."""
    after = [f"--after-cursor={cursor}"] if cursor else []
    argv = ["journalctl", "--quiet", "--no-pager", "--lines=+1", "--output=json", *after]
    oldest = run([*argv, "--output-fields=PRIORITY"], timeout=SECONDS).strip()
    if not oldest:
        return 0.0
    return max(0.0, time.time() - int(json.loads(oldest)["__REALTIME_TIMESTAMP"]) / 1e6)
