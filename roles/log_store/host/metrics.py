"""Runs on the log store: sizes of its journals, what is not packed yet, and when the last line came."""

import os
from collections.abc import Iterator

from nexus.agent.metrics import Sample
from roles.log_store.host.journal import journals
from roles.log_store.host.pack import recorded


def samples(words: list[str]) -> Iterator[Sample]:
    """All metrics of the directory that is named; then comes the size that it may have."""
    directory, most = words
    found, record = journals(directory), recorded()
    yield "nexus_log_store_bytes", {}, sum(journal.size for journal in found)
    yield "nexus_log_store_bytes_max", {}, float(most)
    closed = [journal for journal in found if journal.closed]
    waiting = [journal for journal in closed if os.path.basename(journal.path) not in record["packed"]]
    yield "nexus_log_store_unpacked_files", {}, len(waiting)
    yield "nexus_log_store_packed_timestamp_seconds", {}, record["complete"]
    yield "nexus_log_store_received_timestamp_seconds", {}, max((journal.last for journal in found), default=0.0)
