"""Status of hosts: units, mounts, inodes and packages, as the host reports them and as they are judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nexus.agent.kernel import unescaped
from roles.base import status
from roles.base.host import status as machine
from tests.plan.store_environment import environment

SOUND: dict[str, Any] = {"disks": [], "failed": [], "units": {}, "read_only": [], "packages": [], "held": []}


@pytest.mark.parametrize(
    ("fault", "what", "said"),
    [
        ({"failed": ["x.service"]}, "data1", "failed: x.service"),
        ({"units": {"nginx": "is masked"}}, "data1 nginx", "systemctl unmask nginx there"),
        ({"units": {"nginx": "does not stay up, restarted 7 times"}}, "data1 nginx", "systemctl status nginx there"),
        ({"read_only": ["/etc/nginx"]}, "data1 /etc/nginx", "mount -o remount,rw /etc/nginx"),
        ({"packages": ["x is half-configured"]}, "data1 packages", "x is half-configured"),
        ({"disks": [{"path": "/", "used_percent": 1, "free_bytes": 9, "inodes_percent": 99}]}, "data1 /", "df -i /"),
    ],
)
def test_a_fault_of_a_host_is_a_missed_line(tmp_path: Path, fault: dict[str, Any], what: str, said: str) -> None:
    env = environment(tmp_path, data=1)
    answers = {"data1": {"host": {**SOUND, **fault}}}
    lines = [*status.hosts(env, answers), *status.disks(env, answers)]
    missed = {line.what: f"{line.value} {line.advice}" for line in lines if line.missed and line.what != "login"}
    assert list(missed) == [what]
    assert said in missed[what]


def test_a_unit_that_failed_is_one_line(tmp_path: Path) -> None:
    answers = {"data1": {"host": {**SOUND, "failed": ["x.service"], "units": {"x": "does not stay up"}}}}
    env = environment(tmp_path, data=1)
    assert [line.what for line in status.hosts(env, answers) if line.missed and line.what != "login"] == ["data1"]


def test_a_package_on_hold_is_shown_and_misses_no_target(tmp_path: Path) -> None:
    answers = {"data1": {"host": {**SOUND, "held": ["nginx 1.26 (1.28 is available)"]}}}
    told = [line for line in status.hosts(environment(tmp_path, data=1), answers) if "on hold" in line.what]
    assert [(line.value, line.missed) for line in told] == [("nginx 1.26 (1.28 is available)", False)]


def test_each_file_system_is_shown_once_with_its_inodes(tmp_path: Path) -> None:
    found = list(machine.disks(["/", str(tmp_path), "/nowhere"]))
    assert len(found) in (1, 2)
    assert all(0 <= disk["inodes_percent"] <= 100 for disk in found)


@pytest.mark.parametrize(
    ("field", "path"), [(b"/srv/my\\040disk", "/srv/my disk"), (b"/a\\134040b", "/a\\040b"), (b"/J\xfc", "/J\udcfc")]
)
def test_mount_points_with_any_name(field: bytes, path: str) -> None:
    assert unescaped(field) == path
