"""What differs: every kind of item, and restarts that follow from what a unit runs with."""

import copy
from pathlib import Path

import pytest

from roles.kit import difference
from roles.kit.model import Desired, Directory, File, Group, Link, State, Unit, User
from roles.kit.unit import restarts_in_service

CONFIG = File("/etc/x.conf", "a = 1\n")
PLAN = difference.complete(
    Desired(
        packages=("x",),
        groups=(Group("g"),),
        users=(User("u", groups=("g",)),),
        directories=(Directory("/etc/x.d"),),
        files=(CONFIG,),
        links=(Link("/etc/x.link", "/etc/x.conf"),),
        absent=("/etc/x.default",),
        units=(Unit("x", restart_on=("/etc/x.conf",)),),
        states=(State("s", Path(__file__), {"database d": {"owner": "o"}}),),
    )
)
DROP_IN = PLAN.files[-1]
SAME = {
    "paths": {
        "/etc/x.conf": ["file", 0o644, "root", "root", CONFIG.sha256],
        DROP_IN.path: ["file", 0o644, "root", "root", DROP_IN.sha256],
        "/etc/x.d": ["directory", 0o755, "root", "root", None],
        "/etc/x.link": ["link", 0o777, "root", "root", "/etc/x.conf"],
        "/etc/x.default": None,
    },
    "packages": {"x": "installed"},
    "units": {
        "x": {
            "ActiveState": "active",
            "UnitFileState": "enabled",
            "NeedDaemonReload": "no",
            "stamp": {"/etc/x.conf": CONFIG.sha256},
        }
    },
    "users": {"u": ["g"]},
    "groups": ["g"],
    "states": {"s": {"items": {"database d": {"owner": "o", "digest": "more than was asked"}}}},
    "manifest": {"x": {kind: dict.fromkeys(names, True) for kind, names in difference.records(PLAN).items()}},
}


def compare(answer, part=difference.WHOLE):
    planned = {item.path: item.sha256 for item in PLAN.files}
    return difference.compare("x", PLAN, answer, planned, part)


def changed(*path, value):
    answer = copy.deepcopy(SAME)
    place = answer
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return [str(change) for change in compare(answer).changes]


def test_nothing_differs():
    found = compare(SAME)
    assert (found.changes, found.steps, found.notes) == ([], [], [])


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("paths", "/etc/x.conf"), None, "file /etc/x.conf: is missing"),
        (("paths", "/etc/x.conf", 1), 0o600, "file /etc/x.conf: mode 0600 -> 0644"),
        (("paths", "/etc/x.conf", 2), "u", "file /etc/x.conf: owner u:root -> root:root"),
        (("paths", "/etc/x.conf", 0), "link", "file /etc/x.conf: is a link, should be a file"),
        (("paths", "/etc/x.conf", 4), "0" * 64, "file /etc/x.conf: content differs"),
        (("paths", "/etc/x.d"), None, "directory /etc/x.d: is missing"),
        (("paths", "/etc/x.d", 1), 0o700, "directory /etc/x.d: 0700 root:root -> 0755 root:root"),
        (("paths", "/etc/x.link", 4), "/etc/y", "link /etc/x.link: -> /etc/x.conf"),
        (
            ("paths", "/etc/x.default"),
            ["file", 0o644, "root", "root", ""],
            "path /etc/x.default: should not be there",
        ),
        (("packages",), {}, "package x: is not installed"),
        (("packages", "x"), "half-configured", "package x: half-configured"),
        (("users", "u"), None, "user u: is missing"),
        (("users", "u"), [], "user u: is not in group g"),
        (("groups",), [], "group g: is missing"),
        (("units", "x", "ActiveState"), "failed", "unit x: is failed, should run"),
        (("units", "x", "UnitFileState"), "disabled", "unit x: is not enabled"),
        (("units", "x", "stamp"), None, "unit x: restart: runs with an older /etc/x.conf"),
        (("units", "x", "stamp", "/etc/x.conf"), "0" * 64, "unit x: restart: runs with an older /etc/x.conf"),
        (("states", "s", "items"), {}, "database d: is missing"),
        (("states", "s", "items", "database d", "owner"), "p", "database d: owner differs"),
    ],
)
def test_each_difference_is_found_and_named(path, value, said):
    assert changed(*path, value=value) == [said]


def test_what_is_no_longer_planned_and_was_made_by_us_is_removed():
    said = changed("manifest", "x", "files", value={**SAME["manifest"]["x"]["files"], "/etc/old": True})
    assert said == ["file /etc/old: no longer planned, removed"]


def test_what_was_there_before_us_is_never_removed():
    said = changed("manifest", "x", "files", value={**SAME["manifest"]["x"]["files"], "/etc/old": False})
    assert said == []


def test_steps_come_in_the_order_in_which_they_can_succeed():
    bare = {
        "paths": {},
        "packages": {},
        "units": {},
        "users": {"u": None},
        "groups": [],
        "states": {},
        "manifest": {},
    }
    steps = [step["do"] for step in compare(bare).steps]
    assert steps == ["record", "packages", "accounts", "files", "units", "state"]


def test_daemons_come_before_states_and_a_restart_that_was_refused_after_them():
    answer = copy.deepcopy(SAME)
    answer["units"]["x"]["stamp"], answer["states"]["s"]["items"] = {"/etc/x.conf": "old"}, {}
    parts = (difference.DAEMONS, difference.STATES, difference.POSTPONED)
    steps = [[(step["do"], step.get("put_off", False)) for step in compare(answer, part).steps] for part in parts]
    assert steps == [[("units", True)], [("state", False)], [("units", False)]]


def test_hosts_take_turns_to_restart_what_was_in_service_and_not_what_a_package_has_started():
    running = copy.deepcopy(SAME)
    running["units"]["x"]["stamp"] = None
    assert restarts_in_service(PLAN, compare(running))  # older files, or files of which nothing is known
    one_missing = copy.deepcopy(running)
    one_missing["paths"]["/etc/x.conf"] = None
    assert restarts_in_service(PLAN, compare(one_missing))
    new = copy.deepcopy(one_missing)
    new["paths"][DROP_IN.path] = None
    assert any("restart" in change.how for change in compare(new).changes)
    assert not restarts_in_service(PLAN, compare(new))
    assert not restarts_in_service(PLAN, compare(SAME))


def test_secrets_show_in_no_change_and_no_representation():
    secret = File("/etc/x.key", "hunter2", mode=0o600, secret=True)
    found = difference.compare("x", Desired(files=(secret,)), {**SAME, "manifest": {}}, {})
    assert "hunter2" not in repr(secret) + " ".join(map(str, found.changes))


def test_a_unit_is_judged_by_the_file_that_another_role_is_about_to_write():
    planned = {"/etc/x.conf": "f" * 64}
    how = difference.unit_difference(PLAN.units[0], SAME["units"]["x"], SAME, planned)
    assert how == ["restart: runs with an older /etc/x.conf"]


@pytest.mark.parametrize("observed", [True, False])
def test_what_is_only_observed_can_be_asked_later(observed):
    health = State("health", Path(__file__), {"service x": {"ready": True}}, observed=True)
    plan = Desired(states=(health, State("s", Path(__file__), {"thing": {}})))
    asked = difference.question([plan], observed=observed)["states"]
    assert set(asked) == ({"health", "s"} if observed else {"s"})
    answer = {**SAME, "states": {name: {"items": {}} for name in asked}}
    found = difference.compare("x", plan, answer, {}, difference.STATES)
    assert {change.what for change in found.changes} == ({"service x", "thing"} if observed else {"thing"})
