"""Differences of every kind of item, and restarts that follow from a unit's stamp."""

import copy
from pathlib import Path
from typing import Any

import pytest

from nexus.plan import diff, manifest
from nexus.plan.comparison import Seen
from nexus.plan.desired import Desired, Directory, File, Group, Link, State, Unit, User
from nexus.plan.diff import restarts_in_service

CONFIG = File("/etc/x.conf", "a = 1\n")
PLAN = diff.complete(
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
SAME: dict[str, Any] = {
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
    "groups": {"g": True},
    "states": {"s": {"items": {"database d": {"owner": "o", "digest": "more than was asked"}}}},
}
SAME["manifest"] = {"x": {kind: dict.fromkeys(names, True) for kind, names in manifest.records(PLAN, SAME).items()}}


def compare(answer, part=diff.WHOLE):
    planned = {item.path: item.sha256 for item in PLAN.files}
    return diff.compare("x", PLAN, answer, planned, part)


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
        (
            ("paths", "/etc/x.conf"),
            ["link", 0o777, "root", "root", "/y", ["file", 0o644, "root", "root"]],
            "file /etc/x.conf: is a link, should be a file",
        ),
        (("paths", "/etc/x.conf", 4), "0" * 64, "file /etc/x.conf: content differs"),
        (("paths", "/etc/x.d"), None, "directory /etc/x.d: is missing"),
        (("paths", "/etc/x.d", 1), 0o700, "directory /etc/x.d: 0700 root:root -> 0755 root:root"),
        (("paths", "/etc/x.link", 4), "/etc/y", "link /etc/x.link: -> /etc/x.conf"),
        (("paths", "/etc/x.default"), ["file", 0o644, "root", "root", ""], "path /etc/x.default: should not be there"),
        (("packages",), {}, "package x: is not installed"),
        (("packages", "x"), "half-configured", "package x: half-configured"),
        (("users", "u"), None, "user u: is missing"),
        (("users", "u"), [], "user u: is not in group g"),
        (("groups",), {}, "group g: is missing"),
        (
            ("paths", "/etc/x.d"),
            ["link", 0o777, "root", "root", "/big/x.d", ["directory", 0o755, "u", "root"]],
            "directory /etc/x.d: 0755 u:root -> 0755 root:root",
        ),
        (("units", "x", "ActiveState"), "failed", "unit x: is failed, should run"),
        (("units", "x", "UnitFileState"), "masked", "unit x: is masked"),
        (("units", "x", "UnitFileState"), "masked-runtime", "unit x: is masked"),
        (("units", "x", "UnitFileState"), "disabled", "unit x: is not enabled"),
        (("units", "x", "stamp"), None, "unit x: restart: runs with an older /etc/x.conf"),
        (("units", "x", "stamp", "/etc/x.conf"), "0" * 64, "unit x: restart: runs with an older /etc/x.conf"),
        (("states", "s", "items"), {}, "database d: is missing"),
        (("states", "s", "items", "database d", "owner"), "p", "database d: owner p -> o"),
        (("states", "s", "items", "database d", "owner"), "0" * 12, "database d: owner differs"),
    ],
)
def test_each_difference_is_found_and_named(path, value, said):
    assert changed(*path, value=value) == [said]


def test_a_directory_that_is_a_link_to_one_is_as_planned():
    linked = ["link", 0o777, "root", "root", "../big/x.d", ["directory", 0o755, "root", "root"]]
    assert changed("paths", "/etc/x.d", value=linked) == []


def test_a_unit_that_does_not_stay_up_is_not_running():
    crashing = {**SAME["units"]["x"], "ActiveState": "activating", "SubState": "auto-restart", "crashing": True}
    said = changed("units", "x", value={**crashing, "restarts": 7})
    assert said == ["unit x: does not stay up (restarted 7 times), should run"]


def test_a_timer_that_does_not_tick_is_reported():
    actual = {"ActiveState": "active", "SubState": "elapsed", "UnitFileState": "enabled"}
    assert Unit("x.timer").differences(Seen({"units": {"x.timer": actual}})) == ["no longer ticks"]


def test_a_service_that_failed_after_its_timer_is_noted():
    plan = Desired(units=(Unit("x-backup.timer"),))
    assert diff.question([plan])["kinds"]["units"]["names"] == ["x-backup.timer", "x-backup.service"]
    ticks = {"ActiveState": "active", "SubState": "waiting", "UnitFileState": "enabled"}
    answer = {**SAME, "units": {"x-backup.timer": ticks, "x-backup.service": {"ActiveState": "failed"}}}
    found = diff.compare("x", plan, answer, {})
    assert found.notes == ["x-backup.service failed when its timer last started it: see journalctl -u x-backup.service"]


def test_items_that_runs_made_are_removed_once_unplanned():
    said = changed("manifest", "x", "files", value={**SAME["manifest"]["x"]["files"], "/etc/old": True})
    assert said == ["file /etc/old: no longer planned, removed"]


def test_removed_items_are_named_by_their_kind():
    said = changed("manifest", "x", "directories", value={**SAME["manifest"]["x"]["directories"], "/etc/old": True})
    assert said == ["directory /etc/old: no longer planned, removed"]


def test_the_manifest_records_which_items_runs_created():
    found = {**copy.deepcopy(SAME), "manifest": {}}
    found["paths"]["/etc/x.conf"] = None
    found["units"]["x"]["UnitFileState"] = "disabled"
    (record,) = [step for step in compare(found).steps if step["do"] == "record"]
    assert record["manifest"] == {
        "groups": {"g": False},
        "users": {"u": False},
        "directories": {"/etc/x.d": False},
        "files": {"/etc/x.conf": True, DROP_IN.path: False},
        "links": {"/etc/x.link": False},
        "units": {"x": True},
    }


@pytest.mark.parametrize("before_units", [True, False])
def test_systemd_reads_unit_files_before_anything_is_started(before_units):
    state = State("s", Path(__file__), {"thing": {}}, before_units=before_units)
    plan = Desired(files=(File("/etc/systemd/system/x.service", ""),), states=(state,))
    known = {"x": {"files": {plan.files[0].path: True}}}
    found = diff.compare("x", plan, {"paths": {}, "states": {}, "manifest": known}, {})
    assert [(step["kind"], step.get("reread", False)) for step in found.steps] == [
        ("files", False),
        ("units", True),
        ("states", False),
    ]


def test_systemd_reads_them_once_for_files_and_units():
    answer = copy.deepcopy(SAME)
    answer["paths"][DROP_IN.path] = None
    steps = [(step["kind"], step.get("reread", False)) for step in compare(answer).steps]
    assert steps == [("files", False), ("units", True)]
    answer = copy.deepcopy(SAME)
    answer["units"]["x"]["ActiveState"] = "failed"
    assert [step["reread"] for step in compare(answer).steps] == [False]
    answer["units"]["x"] = {**SAME["units"]["x"], "NeedDaemonReload": "yes"}
    assert [step["reread"] for step in compare(answer).steps] == [True]


def test_items_from_before_the_first_run_are_never_removed():
    said = changed("manifest", "x", "files", value={**SAME["manifest"]["x"]["files"], "/etc/old": False})
    assert said == []


def test_steps_are_in_an_order_in_which_they_can_succeed():
    bare = {"paths": {}, "packages": {}, "units": {}, "users": {"u": None}, "groups": {}, "states": {}, "manifest": {}}
    steps = [step.get("kind", step["do"]) for step in compare(bare).steps]
    assert steps == ["record", "packages", "groups", "users", "directories", "files", "links", "units", "states"]


def test_a_refused_restart_is_repeated_after_states():
    answer = copy.deepcopy(SAME)
    answer["units"]["x"]["stamp"], answer["states"]["s"]["items"] = {"/etc/x.conf": "old"}, {}
    parts = (diff.DAEMONS, diff.STATES, diff.POSTPONED)
    steps = [[(step["kind"], step.get("put_off", False)) for step in compare(answer, part).steps] for part in parts]
    assert steps == [[("units", True)], [("states", False)], [("units", False)]]


def test_only_restarts_of_units_in_service_take_turns():
    running = copy.deepcopy(SAME)
    running["units"]["x"]["stamp"] = None
    assert restarts_in_service(PLAN, compare(running))  # older files, or files without a known hash
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
    found = diff.compare("x", Desired(files=(secret,)), {**SAME, "manifest": {}}, {})
    assert "hunter2" not in repr(secret) + " ".join(map(str, found.changes))


def test_a_unit_sees_the_file_another_role_will_write():
    planned = {"/etc/x.conf": "f" * 64}
    how = PLAN.units[0].differences(Seen(SAME, planned))
    assert how == ["restart: runs with an older /etc/x.conf"]


@pytest.mark.parametrize("observed", [True, False])
def test_observed_states_can_be_probed_later(observed):
    health = State("health", Path(__file__), {"service x": {"ready": True}}, observed=True)
    plan = Desired(states=(health, State("s", Path(__file__), {"thing": {}})))
    asked = diff.question([plan], observed=observed)["states"]
    assert set(asked) == ({"health", "s"} if observed else {"s"})
    answer = {**SAME, "states": {name: {"items": {}} for name in asked}}
    found = diff.compare("x", plan, answer, {}, diff.STATES)
    assert {change.what for change in found.changes} == ({"service x", "thing"} if observed else {"thing"})


def implied(*different):
    """What is listed of a role where these differ: a file, its stamp, and the stamp that a daemon has in force."""
    files = {name: File(f"/etc/{name}", "new", implied=name == "stamp") for name in ("config", "stamp")}
    state = State("s", Path(__file__), {"in force": {"stamp": "new"}}, implied=True)
    plan = Desired(files=tuple(files.values()), states=(state,))
    digests = {name: "old" if name in different else file.sha256 for name, file in files.items()}
    answer = SAME | {
        "paths": {files[name].path: ["file", 0o644, "root", "root", digest] for name, digest in digests.items()},
        "states": {"s": {"items": {"in force": {"stamp": "old" if "in force" in different else "new"}}}},
        "manifest": {"x": {"files": {file.path: True for file in files.values()}}},
    }
    found = diff.compare("x", plan, answer, {})
    return [change.what for change in found.changes], [file.path for file in found.files], found.steps


def test_consequences_of_a_file_are_applied_but_not_listed():
    told, shown, (files, state) = implied("config", "stamp", "in force")
    assert (told, shown) == (["file /etc/config"], ["/etc/config"])
    assert [file["path"] for file in files["items"]] == ["/etc/config", "/etc/stamp"]
    assert state["changed"] == ["in force"]


@pytest.mark.parametrize("one", ["stamp", "in force"])
def test_consequences_are_listed_when_no_file_differs(one):
    told, _, steps = implied(one)
    assert told == ["file /etc/stamp" if one == "stamp" else one]
    assert len(steps) == 1
