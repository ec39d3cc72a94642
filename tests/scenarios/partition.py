"""Cuts a host of the lab off from others, inside its own network namespace, and always heals it again."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence

from control import Control

TABLE = "scenario_cut"


@contextlib.contextmanager
def cut_off(platform: Control, host: str, others: Sequence[str]) -> Iterator[None]:
    """Drop every packet between the host and the others, as a failed link does: nobody is told."""
    addresses = ", ".join(platform.host(other).address for other in others)
    _nft(platform, host, f"""
        table ip {TABLE} {{
            chain input {{ type filter hook input priority -300; ip saddr {{ {addresses} }} drop; }}
            chain output {{ type filter hook output priority -300; ip daddr {{ {addresses} }} drop; }}
        }}
    """)
    try:
        yield
    finally:
        _nft(platform, host, f"delete table ip {TABLE}")


def _nft(platform: Control, host: str, rules: str) -> None:
    running = platform.host(host).running()
    assert running, f"{host} does not run"
    assert running.init, f"{host} has not booted"
    words = ["nsenter", f"--net=/proc/{running.init}/ns/net", "nft", "-f", "-"]
    subprocess.run(words, input=rules, text=True, check=True)
