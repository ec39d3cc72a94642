"""Runs on an ops host: what it knows of the public certificate, as metrics. Changes nothing."""

import time
from collections.abc import Iterator

from nexus.agent.file import read_json
from nexus.agent.metrics import Sample


def samples(words: list[str]) -> Iterator[Sample]:
    """The times of the certificate, how long a renewal has failed, and which edge hosts show it."""
    known, now = read_json(words[0]), time.time()
    if "pair" in known:
        yield "nexus_acme_begins_seconds", {}, known["begins"]
        yield "nexus_acme_ends_seconds", {}, known["ends"]
    if known:
        yield "nexus_acme_orders", {}, known["orders"]
        yield "nexus_acme_failing_seconds", {}, now - known.get("failing_since", now)
    for name, one in known.get("edges", {}).items():
        yield "nexus_acme_shown", {"edge": name}, float("serial" in known and one.get("serial") == known["serial"])
