"""The host that keeps the copy of all buckets, as planned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.backup.copy import NAME
from roles.backup.plan import copy_holder, kinds_of, plan
from tests.plan.environments import environment

STORES = "data etcd postgresql redis"
GROUPS = {"data1": STORES, "data2": STORES, "ops1": "ops storage"}


def env_of(tmp_path: Path, groups: dict[str, str] | None = None, **settings: Any) -> Environment:
    return environment(tmp_path, groups or GROUPS, **settings)


@pytest.mark.parametrize(
    ("groups", "settings", "name"),
    [
        (GROUPS, {}, "data2"),
        ({**GROUPS, "ops2": "ops"}, {}, "ops2"),
        (GROUPS, {"backup_copy_host": "data1"}, "data1"),
        (GROUPS, {"backup_copy_host": "none"}, None),
        ({"box1": f"{STORES} ops storage"}, {}, None),
        ({"data1": STORES, "ops1": "ops"}, {"storage_endpoint": "s3.example.com"}, None),
    ],
)
def test_the_copy_is_on_another_host(
    tmp_path: Path, groups: dict[str, str], settings: dict[str, Any], name: str | None
) -> None:
    env = env_of(tmp_path, groups, **settings)
    found = copy_holder(env)
    assert (found.name if found else None) == name
    assert [host.name for host in env.hosts if NAME in kinds_of(env, host)] == ([name] if name else [])


@pytest.mark.parametrize("name", ["ops1", "data3"])
def test_a_host_that_cannot_keep_the_copy_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OperatorError, match=f'backup_copy_host is "{name}".*: data1, data2; or "none"'):
        copy_holder(env_of(tmp_path, backup_copy_host=name))


def test_a_run_without_the_storage_fills_nothing(tmp_path: Path) -> None:
    env = env_of(tmp_path / "with")
    assert "backup copy" in [state.name for state in plan(env, env.host("data2")).states]
    assert "backup copy" not in [state.name for state in plan(env, env.host("data1")).states]
    env = env_of(tmp_path / "without", without="ops1")
    assert "backup copy" not in [state.name for state in plan(env, env.host("data2")).states]
