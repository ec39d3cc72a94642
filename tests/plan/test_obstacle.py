"""Obstacles are refused before the first change, and ignored where nothing must change."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from nexus.error import OperatorError
from nexus.plan import diff, manifest, obstacle
from nexus.plan.desired import Desired, Directory, File, Unit

PLAN = Desired(directories=(Directory("/etc/x"),), files=(File("/etc/x/x.conf", "a = 1\n"),), units=(Unit("x"),))
LINK = ["link", 0o777, "root", "root", "/big/x"]
Set = Callable[[dict[str, Any]], Any]


def host(different: bool = True) -> dict[str, Any]:
    """A host where the file differs, or nothing differs."""
    digest = "0" * 64 if different else PLAN.files[0].sha256
    found = copy.deepcopy(
        {
            "paths": {
                "/etc/x": ["directory", 0o755, "root", "root", None],
                "/etc/x/x.conf": ["file", 0o644, "root", "root", digest],
            },
            "units": {"x": {"UnitFileState": "enabled", "ActiveState": "active"}},
            "packages": {},
            "users": {},
            "groups": {},
            "states": {},
            "obstacles": {"paths": {}, "room": {}, "left": []},
        }
    )
    return {**found, "manifest": {"x": manifest.records(PLAN, found)}}


def check(answer: dict[str, Any], plan: Desired = PLAN) -> None:
    obstacle.check("edge1", "x", plan, answer, lambda: diff.compare("x", plan, answer, {}))


def paths(code: str, place: str) -> Set:
    return lambda answer: answer["obstacles"]["paths"].update({"/etc/x/x.conf": [code, place]})


def room(free: int, inodes: int) -> Set:
    return lambda answer: answer["obstacles"]["room"].update({"/etc/x": ["/etc", free, inodes]})


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (paths("EROFS", "/etc/x"), "mounted read-only: mount -o remount,rw /etc/x, then rerun"),
        (paths("IMMUTABLE", "/etc/x/x.conf"), "/etc/x/x.conf is immutable: chattr -i /etc/x/x.conf, then rerun"),
        (paths("MOUNT", "/etc/x/x.conf"), "umount /etc/x/x.conf, then rerun"),
        (room(1000, 5000), "no space is left on the file system of /etc"),
        (room(1 << 30, 2), "no inodes are left on the file system of /etc"),
    ],
)
def test_an_obstacle_counts_only_where_something_must_change(fault: Set, said: str) -> None:
    answer = host()
    fault(answer)
    with pytest.raises(OperatorError, match=r"edge1: x cannot be converged") as refused:
        check(answer)
    assert said in str(refused.value)
    fault(same := host(different=False))
    check(same)


@pytest.mark.parametrize("state", ["masked", "masked-runtime"])
def test_a_unit_that_an_administrator_masked(state: str) -> None:
    answer = host(different=False)
    answer["units"]["x"]["UnitFileState"] = state
    with pytest.raises(OperatorError, match=r"unit x is masked.*`systemctl unmask x` on edge1, then rerun"):
        check(answer)
    check(answer, Desired(units=(Unit("x", masked=True),)))
    check(answer, Desired(units=(Unit("x", enabled=False, running=False),)))


@pytest.mark.parametrize(
    ("path", "entry", "said"),
    [
        ("/etc/x/x.conf", ["directory", 0o755, "root", "root", None], "is a directory but should be a file"),
        ("/etc/x", ["file", 0o644, "root", "root", ""], "is a file but should be a directory"),
        ("/etc/x", [*LINK, None], "is a link to /big/x, which does not exist"),
        ("/etc/x", [*LINK, ["file", 0o644, "root", "root"]], "is a link to /big/x, which is a file"),
    ],
)
def test_another_kind_of_thing_is_never_moved_away(path: str, entry: list[Any], said: str) -> None:
    answer = host()
    answer["paths"][path] = entry
    with pytest.raises(OperatorError) as refused:
        check(answer)
    assert said in str(refused.value)


def test_a_link_to_a_directory_is_not_in_the_way() -> None:
    answer = host()
    answer["paths"]["/etc/x"] = [*LINK, ["directory", 0o755, "root", "root"]]
    check(answer)


def test_many_paths_with_one_reason_are_one_line() -> None:
    files = tuple(File(f"/etc/x/{number}", "new") for number in range(9))
    answer = host()
    answer["obstacles"]["paths"] = {item.path: ["EROFS", "/etc"] for item in files}
    with pytest.raises(OperatorError, match=r"8 more paths for the same reason") as refused:
        check(answer, Desired(files=files))
    assert str(refused.value).count("read-only") == 1
