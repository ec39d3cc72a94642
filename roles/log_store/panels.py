"""Panels about the log store."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot


def panels(env: Environment) -> Iterator[Panel]:
    """Its size, and journals that are not in the archive."""
    yield plot(
        "infrastructure",
        "Journals on the log store",
        "bytes",
        "Their size, and the size that they may have.",
        ("nexus_log_store_bytes", "used"),
        ("nexus_log_store_bytes_max", "limit"),
    )
    yield plot(
        "infrastructure",
        "Journals that are not packed",
        "number",
        "Closed journals that are not yet in object storage. More than a few: object storage does not take them.",
        ("nexus_log_store_unpacked_files", "files"),
    )
