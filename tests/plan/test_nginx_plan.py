"""The plan of the edge: its files, what a reload reads, and what one setting changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan import diff, manifest
from nexus.plan.desired import Desired
from roles.nginx.location import locations
from roles.nginx.plan import plan
from tests.plan.real_edge import environment


def test_plan_names_all_that_a_reload_reads(tmp_path_factory: pytest.TempPathFactory) -> None:
    env = environment(tmp_path_factory.mktemp("plan"))
    desired = plan(env, env.hosts[0])
    (unit,) = desired.units
    assert {file.path for file in desired.files if not file.implied} < set(unit.reload_on)
    assert [file.path for file in desired.files if file.implied] == ["/etc/nginx/nexus-cos/stamp.conf"]
    assert {"/etc/nexus-cos/tls/leaf.pem", "/etc/nexus-cos/tls/leaf.key"} < set(unit.reload_on)
    assert not unit.restart_on


def test_excluded_service_has_no_location(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("excluded")
    whole = environment(directory)
    assert "metatwin" in {location.service for location in locations(whole, whole.setting)}
    env = environment(directory, services_excluded=["metatwin", "puaboverse-v2"])
    assert "metatwin" not in {location.service for location in locations(env, env.setting)}
    assert "metatwin" not in "".join(file.data.decode() for file in plan(env, env.hosts[0]).files)


def test_the_size_of_uploads_is_a_tuning_like_others(tmp_path: Path) -> None:
    env = environment(tmp_path, nginx_tuning={"client_max_body_size": "40m"})
    services = env.setting.nginx_upload_services
    assert {one.body_bytes for one in locations(env, env.setting) if one.service in services} == {40 * 2**20}
    env = environment(tmp_path, nginx_tuning={"client_max_body_size": "40 MB"})
    with pytest.raises(OperatorError, match='client_max_body_size is "40 MB"'):
        locations(env, env.setting)


@pytest.mark.parametrize(
    ("setting", "part"),
    [
        ({"nginx_hsts_seconds": 1}, "nexus-cos/header.conf"),
        ({"nginx_cors_origins": ["https://partner.example.org"]}, "nexus-cos/cors.conf"),
        ({"nginx_tuning": {"keepalive_timeout": "31"}}, "nginx.conf"),
        ({"nginx_listen_addresses": ["192.0.2.1"]}, "nexus-cos/site.conf"),
    ],
)
def test_one_setting_is_one_change_and_its_reload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: dict[str, Any], part: str
) -> None:
    rendered: list[str] = []
    render = Environment.render

    def count(env: Environment, template: str, **values: Any) -> str:
        rendered.append(template)
        return render(env, template, **values)

    before, after = environment(tmp_path), environment(tmp_path, **setting)
    there = diff.complete(plan(before, before.hosts[0]))
    monkeypatch.setattr(Environment, "render", count)
    wanted = diff.complete(plan(after, after.hosts[0]))
    assert len(rendered) == len(set(rendered)) == len(list(Path("templates/nginx").glob("*.j2")))
    planned = {file.path: file.sha256 for file in wanted.files}
    found = diff.compare("nginx", wanted, as_planned(there), planned)
    path = f"/etc/nginx/{part}"
    assert [str(change) for change in found.changes] == [
        f"file {path}: content differs", f"unit nginx.service: reload: runs with an older {path}",
    ]  # fmt: skip
    files, _, state = found.steps
    assert [file["path"] for file in files["items"]] == [path, "/etc/nginx/nexus-cos/stamp.conf"]
    assert state["changed"] == ["nginx config"]


def as_planned(desired: Desired) -> dict[str, Any]:
    """The answer of a host that has all this and runs with it."""
    paths = {file.path: ["file", file.mode, file.owner, file.group, file.sha256] for file in desired.files}
    stamp = {path: found[4] for path, found in paths.items()}
    paths |= {each.path: ["directory", each.mode, each.owner, each.group, None] for each in desired.directories}
    runs = {"ActiveState": "active", "UnitFileState": "enabled", "NeedDaemonReload": "no", "stamp": stamp}
    answer: dict[str, Any] = {
        "paths": paths,
        "packages": dict.fromkeys(desired.packages, "installed"),
        "users": {},
        "groups": {},
        "units": {unit.name: runs for unit in desired.units},
        "states": {state.name: {"items": dict(state.items)} for state in desired.states},
    }
    named = manifest.records(desired, answer)
    return answer | {"manifest": {"nginx": {kind: dict.fromkeys(names, True) for kind, names in named.items()}}}
