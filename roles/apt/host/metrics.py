"""Runs on a host: updates that wait, as metrics. Changes nothing."""

import os
from collections import Counter
from collections.abc import Iterator

from nexus.agent.metrics import Sample
from roles.apt.host.pending import pending, waits

# The first is touched after each fetch, by apt.conf; the others tell as much of a host that has never had it.
FETCHED = ("/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists/partial", "/var/lib/apt/lists")


def samples(words: list[str]) -> Iterator[Sample]:
    """The first word says whether the host fetches lists itself, the others are packages updated in order."""
    timers, *in_order = words
    found = Counter((update.security, waits(update.name, in_order)) for update in pending())
    for security in (True, False):
        for waiting in (True, False):
            labels = {"security": str(security).lower(), "in_order": str(waiting).lower()}
            yield "nexus_pending_updates", labels, float(found[security, waiting])
    yield "nexus_package_lists_timestamp_seconds", {}, fetched()
    yield "nexus_security_updates_enabled", {}, float(timers == "on")


def fetched() -> float:
    """When package lists were last fetched, in seconds since 1970; 0 if never."""
    return next((os.path.getmtime(path) for path in FETCHED if os.path.exists(path)), 0.0)
