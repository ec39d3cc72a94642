"""Whether a service is as its last update left it, and what was published or allowed by hand."""

from __future__ import annotations

from typing import Any

import pytest

from roles.service.host.state import _safety, _standing

SPEC: dict[str, Any] = {
    "TaskTemplate": {
        "ContainerSpec": {"Healthcheck": {"Test": ["CMD", "x"]}},
        "Networks": [{"Target": "n"}],
        "RestartPolicy": {"Condition": "any"},
    },
    "UpdateConfig": {"FailureAction": "rollback"},
}


@pytest.mark.parametrize(
    ("service", "found"),
    [
        ({}, {"update": "settled", "tasks": "all run"}),
        ({"UpdateStatus": {"State": "paused"}}, {"update": "paused", "tasks": "all run"}),
        ({"UpdateStatus": {"State": "updating"}}, {"update": "settled", "tasks": "all run"}),
        ({"ServiceStatus": {"RunningTasks": 1, "DesiredTasks": 2}}, {"update": "settled", "tasks": "1 of 2"}),
        ({"ServiceStatus": {"RunningTasks": 3, "DesiredTasks": 2}}, {"update": "settled", "tasks": "all run"}),
    ],
)
def test_tasks_that_do_not_run_are_counted(service: dict[str, Any], found: dict[str, Any]) -> None:
    assert _standing(service) == found


def test_a_port_opened_by_hand_is_seen() -> None:
    assert _safety(SPEC)["published"] == []
    opened = {**SPEC, "EndpointSpec": {"Ports": [{"PublishedPort": 9999, "TargetPort": 80}]}}
    assert _safety(opened)["published"] == [9999]
