"""The question at the end of a run: which units of a host do not run."""

from collections.abc import Iterable
from typing import Any

import pytest

from nexus.agent import probe

LOADED = {"LoadState": "loaded", "up": 60.0}


def test_units_that_systemd_does_not_know_are_of_layers_that_never_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed and stopped ones are told."""
    states: dict[str, dict[str, Any]] = {
        "nginx": {**LOADED, "ActiveState": "active", "SubState": "running"},
        "redis": {**LOADED, "ActiveState": "failed", "SubState": "failed"},
        "etcd": {**LOADED, "ActiveState": "inactive", "SubState": "dead"},
        "nexus-metrics-acme.timer": {"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"},
    }

    def asked(names: Iterable[str]) -> dict[str, dict[str, Any]]:
        return {name: states[name] for name in names}

    monkeypatch.setattr(probe, "units", asked)
    monkeypatch.setattr(probe, "log", lambda name: [f"log of {name}"])
    found = probe.standing({"units": list(states)})
    assert found == {"down": {"redis": ["log of redis"], "etcd": ["log of etcd"]}}
