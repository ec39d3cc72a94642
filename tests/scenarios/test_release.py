"""Releases under load: good ones without a failed request, bad ones rolled back automatically, canaries, migrations.

A release here is the reference service under another number, with or without a built-in fault.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from conftest import Figure
from control import Control, copy_of_project
from http_load import Requests
from releases import PATH, SERVICE, images, kept, mounted, number, released

from nexus.environment import inventory

FAULTS = {  # the built-in fault, and how many requests may fail because of it
    "cannot start": ("start", 0),
    "never ready": ("unready", 0),
    "errors": ("error=20", None),
    "leaks": ("leak=300000", None),
}
OTHERS = [kind for kind in FAULTS if kind != "errors"]
TOLD = {"cannot start": "fault", "leaks": "heap out of memory"}  # in the last lines of the task's own log
BACK_SECONDS = 60


def test_releases_lose_no_request_and_repeat_none(ready: Control, full: bool, figure: Figure) -> None:
    seconds = []
    with Requests(ready, PATH, SERVICE) as load:
        for _ in range(5 if full else 1):
            release = number()
            done = released(ready, SERVICE, release)
            assert done.status == 0, done.end
            assert images(ready)[SERVICE] == release
            seconds.append(done.seconds)
    assert not load.failed, load.told()
    assert load.not_once == {}
    assert len(load.releases()) == len(seconds) + 1
    figure.timeline("Requests sent, by the release that answered", load.moments())
    figure("release: requests during all releases", len(load.answered))
    figure("release: failed requests", len(load.failed))
    figure("release: longest", max(seconds))
    again = ready.converged()
    assert again.closing[0] == 0, again.end


@pytest.mark.parametrize("kind", ["errors", *(pytest.param(kind, marks=pytest.mark.full) for kind in OTHERS)])
def test_a_bad_release_is_rolled_back_automatically(ready: Control, kind: str, figure: Figure) -> None:
    fault, allowed = FAULTS[kind]
    before, release = images(ready)[SERVICE], number()
    with Requests(ready, PATH, SERVICE) as load:
        time.sleep(5)
        began = time.time()
        done = released(ready, SERVICE, release, fault)
        ended = time.time()
        time.sleep(5)
    figure.timeline(f"Requests sent, {kind}: by the release that answered", load.moments(), run=began, ended=ended)
    assert done.status != 0, done.end
    assert f"{SERVICE} did not get through" in done.output, done.end
    assert any("| " in line and TOLD.get(kind, "") in line for line in done.output.splitlines()), done.end
    assert images(ready)[SERVICE] == before
    assert kept(ready)[SERVICE]["current"]["release"] == before
    end = load.answered[-1].at
    assert set(load.releases(since=end - 3)) == {before}
    failed = [one.at for one in load.failed]
    lasted = max(failed) - min(failed) if failed else 0.0
    figure(f"bad release, {kind}: failed requests of {len(load.answered)}", len(failed))
    figure(f"bad release, {kind}: from the first to the last failure", lasted)
    figure(f"bad release, {kind}: run", done.seconds)
    assert lasted <= BACK_SECONDS
    if allowed is not None:
        assert len(failed) <= allowed, load.told()
    again = ready.converged()
    assert again.closing[0] == 0, again.end


@pytest.mark.full
def test_a_changed_configuration_rolls_one_service_and_is_shown(ready: Control, figure: Figure) -> None:
    """No request fails under load. The command shows the port and no secret of the environment."""
    if kept(ready).get(SERVICE, {}).get("current", {}).get("pinned"):  # it was rolled back, and keeps a configuration
        assert released(ready, SERVICE, number()).status == 0
    ready.converged()
    before, show = mounted(ready), {"deploy": "deploys/service_config.py", "data": {"service": SERVICE}}
    flag = f"on-{uuid.uuid4().hex[:8]}"
    with Requests(ready, PATH, SERVICE) as load:
        time.sleep(5)
        forth = ready.converged({"service_environment_of": {SERVICE: {"FLAG": flag}}})
        between, shown = mounted(ready), ready.run(**show)
        ready.converged()
        time.sleep(5)
    figure("configuration of one service changed and restored: requests", len(load.answered))
    figure("configuration of one service changed and restored: failed requests", len(load.failed))
    assert len(load.answered) > 1000
    assert not load.failed, load.told()
    assert load.not_once == {}
    rolled = [change for change in forth.changes if change.startswith("service: service ")]
    assert [change.split()[2].rstrip(":") for change in rolled] == [SERVICE], forth.changes
    assert {path for path in before if before[path] != between[path]} == {"/run/secrets/config"}
    assert mounted(ready) == before
    text = ready.ssh(ready.group("app")[0], f"sudo docker config inspect --pretty {between['/run/secrets/config']}")
    port = ready.planned.catalogue.service(SERVICE).port
    assert f"PORT={port}" in text
    assert f"FLAG={flag}" in text
    assert shown.status == 0, shown.end
    assert [line.split()[-1] for line in shown.output.splitlines() if line.split()[:1] == ["port"]] == [str(port)]
    assert f"NOW: {flag}" in shown.output, shown.end
    whole = ready.run(deploy="deploys/service_config.py", data={"format": "json"})
    assert whole.status == 0, whole.end
    assert whole.output.count('"name": "PORT"') == len(ready.planned.catalogue.services)
    assert told_secrets(ready, text + shown.output + whole.output) == []


def told_secrets(control: Control, text: str) -> list[str]:
    """Names of the environment's secrets of which a text contains a whole line."""
    secrets = inventory.load(control.name).secrets
    names = [name for name in secrets.names() if not name.endswith("ca-certificate")]
    lines = {name: [line for line in secrets.get(name).splitlines() if "-----" not in line] for name in names}
    assert len(lines) > 50
    return [name for name, each in lines.items() if any(len(line) > 11 and line in text for line in each)]


def test_a_missing_image_is_refused(ready: Control) -> None:
    before = images(ready)
    done = ready.run(deploy="deploys/release.py", data={"services": SERVICE, "release": "0.0.404"})
    assert done.status != 0
    assert "Nothing was changed on any host" in done.output
    assert "no complete image of session-mgr at release 0.0.404" in done.output
    assert images(ready) == before


def test_a_dry_run_of_a_release_changes_nothing(ready: Control) -> None:
    before, records = images(ready), kept(ready)
    for deploy, data in (
        ("release.py", {"services": SERVICE, "release": number(), "build": True}),
        ("rollback.py", {"services": SERVICE}),
    ):
        done = ready.run("--dry", deploy=f"deploys/{deploy}", data=data)
        assert done.status == 0, done.end
        assert "would 1/" in done.output, done.end
        assert SERVICE in done.output, done.end
    assert (images(ready), kept(ready)) == (before, records)


@pytest.mark.full
def test_a_canary_gets_its_share(ready: Control, figure: Figure) -> None:
    release = number()
    with Requests(ready, PATH, SERVICE) as load:
        done = released(ready, SERVICE, release, canary=20, release_canary_step_percent=40, release_canary_seconds=10)
    figure.timeline("Requests sent, by the release that answered", load.moments())
    assert done.status == 0, done.end
    assert not load.failed, load.told()
    figure("canary: failed requests", len(load.failed))
    assert f"{SERVICE}-canary" not in images(ready)
    assert images(ready)[SERVICE] == release
    assert ready.converged().closing[0] == 0


@pytest.mark.full
def test_a_bad_canary_hurts_few_requests_and_is_removed(ready: Control, figure: Figure) -> None:
    before = images(ready)
    with Requests(ready, PATH, SERVICE) as load:
        done = released(ready, SERVICE, number(), "error=50", canary=10, release_canary_seconds=20)
    figure.timeline("Requests sent, by the release that answered", load.moments())
    assert done.status != 0
    assert "did worse than the old release" in done.output, done.end
    assert images(ready) == before
    share = 100 * len(load.failed) / len(load.answered)
    figure("bad canary: percent of failed requests", f"{share:.2f}")
    assert share < 5
    assert ready.converged().closing[0] == 0


@pytest.mark.full
def test_a_release_that_dies_leaves_the_old_one_to_the_next_run(ready: Control) -> None:
    before, release = images(ready)[SERVICE], number()
    data = {"services": SERVICE, "release": release, "build": True, "release_min_ready_seconds": 120}
    running = ready.start(deploy="deploys/release.py", data=data)
    deadline = time.monotonic() + 180
    while images(ready)[SERVICE] != release and time.monotonic() < deadline:
        time.sleep(1)
    assert images(ready)[SERVICE] == release, "the release never began"
    running.kill()
    running.communicate()
    assert kept(ready)[SERVICE]["current"]["release"] == before
    ready.converged()
    assert images(ready)[SERVICE] == before
    assert ready.converged().closing[0] == 0


@pytest.mark.full
def test_services_are_added_and_removed_under_load(ready: Control, figure: Figure) -> None:
    env = ready.planned
    needed = {need for service in env.catalogue.services.values() for need in service.depends_on}
    gone = next(name for name in reversed([*env.catalogue.services]) if name not in {*needed, SERVICE})
    excluded = {"services_excluded": [*env.setting.services_excluded, gone]}
    with Requests(ready, PATH, SERVICE, reloads=True) as load:
        for data in (excluded, {}, {"nginx_tuning": {"client_max_body_size": "40m"}}, {}):
            done = ready.run(data=data)
            assert done.status == 0, done.end
            assert done.closing[0] > 0, done.end
    figure.timeline("Requests sent meanwhile", load.moments())
    figure("a service removed, added, a limit changed twice: requests", len(load.answered))
    figure("a service removed, added, a limit changed twice: repeated requests", len(load.repeated))
    assert not load.failed, load.told()
    assert load.not_once == {}


@pytest.mark.full
def test_a_migration_runs_once_and_before_its_release(ready: Control, tmp_path: Path) -> None:
    service = "key-service"
    say = "console.log('migrated', process.env.SERVICE_NAME, process.env.DB_PORT)"

    def checkout(name: str, command: str) -> Control:
        """A checkout whose catalogue has a migration for the service."""
        project = copy_of_project(tmp_path / name, environment=ready.name)
        catalogue = project / "group_data/catalogue/services.yaml"
        entry = f"  - name: {service}\n"
        text = catalogue.read_text()
        assert text.count(entry) == 1
        catalogue.write_text(text.replace(entry, f'{entry}    migration: [node, -e, "{command}"]\n'))
        return Control(ready.name, project)

    good, bad = checkout("good", say), checkout("bad", "process.exit(3)")
    before = images(ready)[service]
    built: dict[str, Any] = {"image_environment": {"NOTE": number()}}
    failed = released(bad, service, number(), **built)
    assert failed.status != 0
    assert f"{service}-migration: failed" in failed.output, failed.end
    assert images(ready)[service] == before
    first, second = released(good, service, number(), **built), released(good, service, number(), **built)
    assert first.status == second.status == 0, first.end + second.end
    assert f"migrated {service} {ready.planned.setting.postgresql_proxy_direct_port}" in first.output
    assert f"restore point nexus-{service}-" in first.output
    assert "migrated" not in second.output
    assert kept(ready)[service]["history"][0]["restore_point"].startswith(f"nexus-{service}-")
    assert f"{service}-migration" not in images(ready)
    assert ready.converged().closing[0] == 0
