"""Run pyinfra itself, then write the number of SSH sessions that it opened to the file NEXUS_BENCH_COUNT.

    python -m benchmarks.counted inventory deploys/full.py -y

A session is one command or one transfer: a round trip to a host, however short.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from pyinfra_cli.main import main  # patches the standard library before paramiko is loaded


def count() -> Counter[str]:
    """Wrap paramiko's function that opens sessions; return the counter, {address: sessions}."""
    import paramiko

    found: Counter[str] = Counter()
    original = paramiko.Transport.open_session

    def open_session(transport: paramiko.Transport, *arguments: Any, **rest: Any) -> paramiko.Channel:
        found[":".join(map(str, transport.getpeername()))] += 1
        return original(transport, *arguments, **rest)

    paramiko.Transport.open_session = open_session  # type: ignore[assignment,method-assign]
    return found


if __name__ == "__main__":
    counted = count()
    target = Path(os.environ["NEXUS_BENCH_COUNT"])
    atexit.register(lambda: target.write_text(json.dumps(counted)))
    sys.argv[0] = "pyinfra"
    sys.exit(main())
