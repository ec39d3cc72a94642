"""Cuts hosts of the lab off, inside their own network namespaces, and always reconnects them."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence

from control import Control

from nexus.provider.lab import defaults

TABLE = "scenario_cut"


@contextlib.contextmanager
def cut_off(platform: Control, host: str, others: Sequence[str]) -> Iterator[None]:
    """Drop every packet between the host and the others, as a failed link does: no side is notified."""
    with dropping(platform, host, [platform.host(other).address for other in others]):
        yield


@contextlib.contextmanager
def out_of_reach(platform: Control) -> Iterator[None]:
    """Drop every packet between every host and this machine, where runs start."""
    with contextlib.ExitStack() as stack:
        for host in platform.names:
            stack.enter_context(dropping(platform, host, [str(defaults.GATEWAY)]))
        yield


@contextlib.contextmanager
def dropping(platform: Control, host: str, addresses: Sequence[str], table: str = TABLE) -> Iterator[None]:
    """Drop every packet between the host and these addresses."""
    named = ", ".join(addresses)
    _nft(
        platform,
        host,
        f"""
        table ip {table} {{
            chain input {{ type filter hook input priority -300; ip saddr {{ {named} }} drop; }}
            chain output {{ type filter hook output priority -300; ip daddr {{ {named} }} drop; }}
        }}
    """,
    )
    try:
        yield
    finally:
        _nft(platform, host, f"delete table ip {table}")


def _nft(platform: Control, host: str, rules: str) -> None:
    running = platform.host(host).running()
    assert running, f"{host} does not run"
    assert running.init, f"{host} has not booted"
    # the host's own nft: an older one of this machine may not read the tables of a newer one
    words = ["nsenter", f"--target={running.init}", "--mount", "--net", "nft", "-f", "-"]
    subprocess.run(words, input=rules, text=True, check=True)
