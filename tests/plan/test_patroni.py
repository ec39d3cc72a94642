"""The shared settings of Patroni's members: what a run sends, and what it waits for."""

from __future__ import annotations

from typing import Any

import pytest

from roles.postgresql.host import cluster

WANTED = {"synchronous_mode": True, "synchronous_mode_strict": True, "postgresql.parameters.max_connections": 300}


class Agreed:
    """Patroni's members with their shared settings; `sent` are the changes that they accepted."""

    members = ("data1", "data2")

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings, self.sent = settings, list[dict[str, Any]]()

    def ask(self, name: str, method: str, path: str, body: Any = None, timeout: int = 0) -> tuple[int, Any]:
        assert path == "/config"
        if method == "PATCH":
            self.sent.append(body)
        return 200, cluster.nested(self.settings)

    def wait_primary(self, seconds: float) -> str:
        return "data1"


@pytest.mark.parametrize(
    ("present", "sent", "waits"),
    [
        (WANTED, [], False),  # Patroni refuses an empty change
        ({**WANTED, "pause": True}, [], False),  # set by an operator
        ({**WANTED, "synchronous_mode_strict": False}, [{"synchronous_mode_strict": True}], False),
        (
            {**WANTED, "postgresql.parameters.max_connections": 100},
            [{"postgresql": {"parameters": {"max_connections": 300}}}],
            True,
        ),
        ({**WANTED, "postgresql.parameters.jit": "on"}, [{"postgresql": {"parameters": {"jit": None}}}], True),
    ],
)
def test_only_differing_settings_are_sent_to_patroni(
    monkeypatch: pytest.MonkeyPatch, present: dict[str, Any], sent: list[dict[str, Any]], waits: bool
) -> None:
    monkeypatch.setattr(cluster, "wait_standby", lambda *_: None)
    patroni = Agreed(present)
    read = cluster.set_config(patroni, {**WANTED, "others": []}, {"wait_seconds": 1})  # type: ignore[arg-type]
    assert (patroni.sent, read) == (sent, waits)
