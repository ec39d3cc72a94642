"""Manual changes in the memory of a real HAProxy are named, and undone through its runtime API."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roles.proxy.host import runtime, state
from roles.proxy.live import sections_of
from tests.plan.loopback import Place

pytestmark = pytest.mark.skipif(not shutil.which("haproxy"), reason="HAProxy is not installed here")
CONFIG = """
global
    maxconn 500
    stats socket {socket} mode 660 level admin
defaults
    mode tcp
    timeout connect 1s
    timeout client 10s
    timeout server 10s

listen store
    bind 127.0.0.1:{first}
    server data1 127.0.0.1:{second} check inter 500ms maxconn 50
    server data2 127.0.0.1:{second} check inter 500ms

listen replicas
    bind 127.0.0.1:{third}
    server data1-primary 127.0.0.1:{second} track store/data1 backup
"""
FAULTS = {
    "disable server store/data1": "server data1 is in MAINT",
    "set server store/data2 state drain": "server data2 is in DRAIN",
    "set weight store/data2 0": "server data2 has weight 0 instead of 1",
    "disable health store/data2": "server data2 is not checked",
    "set server store/data2 addr 127.0.0.9": "server data2 leads to 127.0.0.9:{second} instead of 127.0.0.1:{second}",
    "set maxconn server store/data1 1": "server data1 takes 1 connections instead of 50",
    "disable frontend store": "its frontend is PAUSED",
    "set maxconn frontend store 3": "its frontend takes 3 connections instead of 500",
}
LIMITS = {
    "set maxconn global 100": "takes 100 connections instead of 500",
    "set rate-limit connections global 5": "ConnRateLimit is 5 instead of 0",
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    place, directory = Place(), tmp_path_factory.mktemp("haproxy")
    ports = dict(zip(("first", "second", "third"), place.ports, strict=False))
    config = CONFIG.format(socket=directory / "socket", **ports)
    path = directory / "haproxy.cfg"
    path.write_text(config)
    running = subprocess.Popen(["haproxy", "-db", "-f", str(path)], stderr=subprocess.DEVNULL)
    sections = {name: one for name, one in sections_of(config).items() if name in ("store", "replicas")}
    context = {"socket": str(directory / "socket"), "sections": sections, "connections": 500, "ports": ports}
    deadline = time.monotonic() + 20
    while not (directory / "socket").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    yield context
    running.terminate()
    running.wait(20)
    place.close()


def faults(context: dict[str, Any], stale: bool = False) -> list[runtime.Fault]:
    found = runtime.look(context["socket"])
    return list(runtime.faults(found, context["sections"], context["connections"], stale))


@pytest.mark.parametrize(("command", "words"), [*FAULTS.items(), *LIMITS.items()])
def test_a_runtime_change_is_named_and_undone(asked: dict[str, Any], command: str, words: str) -> None:
    assert faults(asked) == []
    runtime.ask(asked["socket"], command)
    found = faults(asked)
    assert [fault.words for fault in found] == [words.format(**asked["ports"])]
    for fault in found:
        runtime.ask(asked["socket"], fault.command)
    assert faults(asked) == []


def test_changes_that_a_reload_reverts_are_left_to_it(asked: dict[str, Any]) -> None:
    runtime.ask(asked["socket"], "set maxconn global 100")
    runtime.ask(asked["socket"], "disable server store/data1")
    assert [fault.words for fault in faults(asked, stale=True)] == ["server data1 is in MAINT"]
    for fault in faults(asked):
        runtime.ask(asked["socket"], fault.command)
    assert faults(asked) == []


def test_it_is_asked_only_where_it_runs(tmp_path: Path) -> None:
    context = {"socket": str(tmp_path / "none"), "unit": "nexus-test", "config": str(tmp_path / "none"), "sha256": ""}
    assert state.probe(["proxy limits"], context) == {"proxy limits": {"by_hand": "nothing"}}
