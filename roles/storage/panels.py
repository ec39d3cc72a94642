"""Panels about our object storage. An external one has the dashboards of its provider."""

from collections.abc import Iterator

from nexus.environment.environment import Environment
from roles.grafana.panel import Panel, plot, value

BOARD = "object-storage"

PANELS = (
    value(
        BOARD,
        "Free for objects",
        "bytes",
        "What is free on the file system of the objects.",
        ('min(SeaweedFS_volumeServer_resource{type="avail"})', "free"),
    ),
    plot(
        BOARD,
        "Requests",
        "per second",
        "Requests of clients of S3, by kind.",
        ("sum by (type) (rate(SeaweedFS_s3_request_total[5m]))", "{{type}}"),
        absent="There were no requests.",
    ),
    plot(
        BOARD,
        "Failed requests",
        "per second",
        "Answers with status 500 and above. Normal: 0.",
        ('sum by (code) (rate(SeaweedFS_s3_request_total{code=~"5.."}[5m]))', "{{code}}"),
        absent="No request failed.",
    ),
    plot(
        BOARD,
        "Slow requests",
        "seconds",
        "95 of 100 requests are faster.",
        ("histogram_quantile(0.95, sum by (type, le) (rate(SeaweedFS_s3_request_seconds_bucket[5m])))", "{{type}}"),
        absent="There were no requests.",
    ),
    plot(
        BOARD,
        "Disk of the objects",
        "bytes",
        "The file system that the objects are on.",
        ('max by (type) (SeaweedFS_volumeServer_resource{type=~"used|avail"})', "{{type}}"),
    ),
    plot(
        BOARD,
        "Volumes",
        "number",
        "Files that objects are in, and how many there may be. A read-only one is full or damaged.",
        ("sum(SeaweedFS_volumeServer_volumes)", "in use"),
        ("sum(SeaweedFS_volumeServer_max_volumes)", "at most"),
        ('sum(SeaweedFS_volumeServer_read_only_volumes{type="IsReadOnly"})', "read-only"),
    ),
)


def panels(env: Environment) -> Iterator[Panel]:
    """Requests, errors, times and disk."""
    yield from PANELS
