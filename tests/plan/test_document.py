"""The plan as a document: every item before and after, without secrets, and a report of everything that moved."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from nexus.error import OperatorError
from nexus.plan import diff
from nexus.plan.comparison import Pair
from nexus.plan.desired import Desired, File, State
from nexus.run import plan_document
from tests.plan.test_difference import PLAN, SAME

PLANNED = {item.path: item.sha256 for item in PLAN.files}


def mark(text: str) -> str:
    return hashlib.sha256(f"key {text}".encode()).hexdigest()[:10]


def items(answer: dict[str, Any], plan: Desired = PLAN) -> dict[str, Pair]:
    return diff.described(plan, answer, PLANNED, mark)


def test_where_nothing_differs_before_is_after() -> None:
    found = items(SAME)
    assert {item for item, (before, after) in found.items() if before != after} == set()
    assert {"file /etc/x.conf", "package x", "unit x", "user u", "database d", "path /etc/x.default"} <= set(found)


@pytest.mark.parametrize(
    ("path", "value", "item", "before", "after"),
    [
        (("paths", "/etc/x.conf"), None, "file /etc/x.conf", "", "0644 root:root"),
        (("paths", "/etc/x.conf", 1), 0o600, "file /etc/x.conf", "0600 root:root", "0644 root:root"),
        (("paths", "/etc/x.link", 4), "/etc/y", "link /etc/x.link", "link to /etc/y", "link to /etc/x.conf"),
        (("packages",), {}, "package x", "", "installed"),
        (("units", "x", "ActiveState"), "failed", "unit x", "enabled, failed", "enabled, running"),
        (("units", "x", "UnitFileState"), "disabled", "unit x", "disabled, running", "enabled, running"),
        (("users", "u"), None, "user u", "", "in g"),
        (("states", "s", "items", "database d", "owner"), "p", "database d", "owner p", "owner o"),
    ],
)
def test_each_difference_shows_in_its_own_item(
    path: tuple[Any, ...], value: Any, item: str, before: str, after: str
) -> None:
    answer = copy.deepcopy(SAME)
    place: Any = answer
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    differ = {name: pair for name, pair in items(answer).items() if pair[0] != pair[1]}
    assert list(differ) == [item]
    assert differ[item][0].startswith(before)
    assert differ[item][1].startswith(after)


def test_a_unit_with_an_older_file_shows_no_hash_of_it() -> None:
    answer = copy.deepcopy(SAME)
    answer["units"]["x"]["stamp"] = {"/etc/x.conf": "0" * 64}
    before, after = items(answer)["unit x"]
    assert before != after
    assert "000000" not in before


def test_the_planned_unit_does_not_depend_on_its_state() -> None:
    answer = copy.deepcopy(SAME)
    answer["units"]["x"]["ActiveState"] = "inactive"
    assert items(answer)["unit x"][1] == items(SAME)["unit x"][1]


SECRET = "hunter2"
PLAIN = hashlib.sha256(SECRET.encode()).hexdigest()


def test_secrets_and_plain_hashes_of_them_are_nowhere() -> None:
    plan = Desired(
        files=(File("/etc/x.key", SECRET, mode=0o600, secret=True),),
        states=(State("s", Path(__file__), {"role r": {"password": PLAIN, "login": True}}),),
    )
    found = {"paths": {"/etc/x.key": ["file", 0o600, "root", "root", PLAIN]}, "units": {}, "packages": {}}
    answer = {**SAME, **found, "states": {"s": {"items": {"role r": {"password": PLAIN, "login": True}}}}}
    told = items(answer, plan)
    assert {before == after for before, after in told.values()} == {True}
    assert PLAIN[:12] not in json.dumps(told)
    assert SECRET not in json.dumps(told)
    assert "login True" in told["role r"][0]


def test_observed_states_are_not_part_of_the_plan() -> None:
    plan = Desired(states=(State("health", Path(__file__), {"service x": {"ready": True}}, observed=True),))
    assert items(SAME, plan) == {}


# Reviewed, and then moved

HOSTS: dict[str, dict[str, dict[str, tuple[str, str]]]] = {
    "app1": {"x": {"file /a": ("old", "new"), "unit u": ("running", "running")}},
    "app2": {"x": {}},
}


def reviewed(tmp_path: Path) -> Path:
    body = json.loads(json.dumps({"format": plan_document.FORMAT, "environment": "lab", "hosts": HOSTS}))
    plan_document.write(tmp_path / "plan.json", {**body, "hash": plan_document._hash(body)})
    return tmp_path / "plan.json"


def test_an_unmoved_plan_may_be_applied(tmp_path: Path) -> None:
    assert plan_document.moved(plan_document.read(reviewed(tmp_path)), copy.deepcopy(HOSTS)) == []


def test_everything_that_moved_is_reported(tmp_path: Path) -> None:
    now = copy.deepcopy(HOSTS)
    now["app1"]["x"] = {"file /a": ("", "newer"), "file /b": ("", "there")}
    del now["app2"]
    now["app3"] = {}
    assert plan_document.moved(plan_document.read(reviewed(tmp_path)), now) == [
        "app1: file /a was old, is missing",
        "checkout: app1, file /a should be newer, the plan says new",
        "checkout: app1, file /b is planned now",
        "checkout: app1, unit u is not planned any more",
        "app2: is not part of this run",
        "app3: is not part of the plan",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a plan"),
        ("[]", "is not a plan"),
        ('{"format": 1}', "is not a plan"),
        ('{"format": 0, "hash": ""}', "another version"),
        ('{"format": 1, "hash": "", "hosts": {}}', "its hash does not match"),
    ],
)
def test_an_invalid_plan_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(OperatorError, match=said):
        plan_document.read(tmp_path / "plan.json")


def test_a_plan_that_was_edited_is_refused(tmp_path: Path) -> None:
    path = reviewed(tmp_path)
    path.write_text(path.read_text().replace("new", "old"))
    with pytest.raises(OperatorError, match="its hash does not match"):
        plan_document.read(path)


def test_a_missing_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be read: No such file"):
        plan_document.read(tmp_path / "no.json")
