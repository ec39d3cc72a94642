"""pgBackRest as it is called on a host, and what tells one cluster of PostgreSQL from another.

For the backup program and for the stanza's state (backup_state.py).
"""

import subprocess

from nexus.agent.lib import account


def call(stanza: str, *words: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """pgBackRest as postgres, with whatever it ended."""
    return subprocess.run(
        ["pgbackrest", f"--stanza={stanza}", *words], capture_output=True, text=True, timeout=seconds, cwd="/",
        errors="replace", check=False, **account("postgres"),
    )  # fmt: skip


def system(data: str) -> int:
    """The identifier that a cluster keeps for life; 0 where there is none."""
    try:
        with open(f"{data}/global/pg_control", "rb") as stream:
            return int.from_bytes(stream.read(8), "little")
    except OSError:
        return 0
