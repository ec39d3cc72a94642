"""CPU and memory as people write them (`500m`, `2`, `1Gi`), and as numbers."""

import re

_CPU = re.compile(r"(?P<milli>[0-9]+)m|(?P<cores>[0-9]+(\.[0-9]{1,3})?)")
_MEMORY = re.compile(r"(?P<amount>[0-9]+)(?P<unit>|Ki|Mi|Gi|Ti|k|M|G|T)")
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, **_BINARY}


def millicores(text: str) -> int:
    """Thousandths of a core in `500m` or `0.5`; ValueError for anything else, and for zero."""
    match = _CPU.fullmatch(text)
    value = 0
    if match:
        value = int(match["milli"]) if match["milli"] else round(float(match["cores"]) * 1000)
    if value <= 0:
        raise ValueError("write thousandths of a core such as 500m, or cores such as 2 or 0.5")
    return value


def memory_bytes(text: str) -> int:
    """Bytes in `512Mi` or `2G`; ValueError for anything else, and for zero."""
    match = _MEMORY.fullmatch(text)
    value = int(match["amount"]) * _UNITS[match["unit"]] if match else 0
    if value <= 0:
        raise ValueError("write a whole number with a unit, such as 512Mi or 2Gi")
    return value
