"""Memory settings for a host's real size, from the figures that the catalogue gives for a large one."""

import re
from collections.abc import Mapping

MIB = 1024**2
UNITS = {"kB": 1024, "MB": MIB, "GB": 1024**3, "TB": 1024**4}
DOCUMENTED_MEMORY_BYTES = 16 * 1024**3  # shared_buffers of 4 GB are 25 % of it (operations.yaml, tuning)

# These two follow the host in both directions: 25 % and 75 % of memory. The rest shrink with a smaller
# host down to a floor and never exceed the documented figure: each connection may use that much, or it
# is on disk.
SHARES = {"shared_buffers": 0.25, "effective_cache_size": 0.75}
FLOORS = {
    "maintenance_work_mem": 32 * MIB,
    "wal_buffers": 1 * MIB,
    "work_mem": 4 * MIB,
    "min_wal_size": 80 * MIB,
    "max_wal_size": 256 * MIB,
}
SMALLEST_BUFFERS = 32 * MIB


def size_bytes(text: str) -> int:
    """Bytes of a PostgreSQL size such as "16MB"; ValueError shows the right form."""
    match = re.fullmatch(r"(\d+)\s*(kB|MB|GB|TB)", text)
    if not match:
        raise ValueError(f'operations.yaml, tuning.postgresql: "{text}" is not a size; write it as 16MB or 4GB')
    return int(match[1]) * UNITS[match[2]]


def tuned(figures: Mapping[str, int | float | str], memory_bytes: int) -> dict[str, int | float | str]:
    """Return the figures, with those of memory scaled to a server that may use this many bytes."""
    scale = memory_bytes / DOCUMENTED_MEMORY_BYTES
    found = dict(figures)
    for name, share in SHARES.items():
        found[name] = _megabytes(max(memory_bytes * share, SMALLEST_BUFFERS))
    for name, floor in FLOORS.items():
        if name in figures:
            most = size_bytes(str(figures[name]))
            found[name] = _megabytes(min(max(most * scale, floor), most))
    return found


def _megabytes(size: float) -> str:
    return f"{int(size // MIB)}MB"
