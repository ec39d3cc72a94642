"""Releases under load: good ones without a failed request, bad ones rolled back automatically, and rollbacks.

A release here is the reference service under another number, with or without a built-in fault.
"""

from __future__ import annotations

import json
import shlex
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Figure
from control import Control, Outcome, copy_of_project
from http_load import Requests

from nexus.environment import inventory
from roles.image.checkout import source
from roles.service.scale import size
from runbooks.release.plan import waves

SERVICE, PATH = "session-mgr", "/api/sessions/"
FAULTS = {  # the built-in fault, and how many requests may fail because of it
    "cannot start": ("start", 0),
    "never ready": ("unready", 0),
    "errors": ("error=20", None),
    "leaks": ("leak=300000", None),
}
OTHERS = [kind for kind in FAULTS if kind != "errors"]
TOLD = {"cannot start": "fault", "leaks": "heap out of memory"}  # in the last lines of the task's own log
BACK_SECONDS = 60
ROLLBACK_SECONDS = 180


@pytest.fixture(scope="module")
def ready(control: Control) -> Iterator[Control]:
    """The converged environment; releases of these tests are rolled back afterwards."""
    if source(control.planned):
        pytest.skip("releases are tried with the reference service, and NEXUS_SOURCE names real code")
    control.converged()
    yield control
    assert control.converged().closing[0] == 0


def number() -> str:
    """A new release number."""
    return f"9.0.{uuid.uuid4().int % 10**9}"


def released(control: Control, services: str, release: str, fault: str = "", **data: Any) -> Outcome:
    """A run of deploys/release.py that builds its release."""
    given: dict[str, Any] = {"services": services, "release": release, "build": True, **data}
    if fault:
        given["image_environment"] = {"FAULT": fault}
    return control.run(deploy="deploys/release.py", data=given)


def kept(control: Control) -> dict[str, Any]:
    """Releases as the swarm keeps them, read without the library: {service: record}."""
    releases = {name: text for name, text in stored(control).items() if name.startswith("release ")}
    return {name.removeprefix("release "): json.loads(text) for name, text in releases.items()}


def stored(control: Control) -> dict[str, str]:
    """Everything that the environment keeps, {"KIND NAME": JSON}."""
    script = "sudo docker config inspect nexus-environment 2>/dev/null || true"
    found = json.loads(control.ssh(control.group("app")[0], script) or "[]")
    labels = [pair for config in found for pair in config["Spec"]["Labels"].items()]
    return {name: text for name, text in labels if " " in name}


def mounted(control: Control) -> dict[str, str]:
    """{path in a container: Docker config or secret} of the service."""
    form = "'{{json .Spec.TaskTemplate.ContainerSpec}}'"
    text = control.ssh(control.group("app")[0], f"sudo docker service inspect nexus_{SERVICE} --format {form}")
    container = json.loads(text)
    configs = {config["File"]["Name"]: config["ConfigName"] for config in container["Configs"]}
    return configs | {secret["File"]["Name"]: secret["SecretName"] for secret in container["Secrets"]}


def images(control: Control) -> dict[str, str]:
    """{service: release} by the image that the swarm runs, read without the library."""
    form = "'{{.Name}} {{.Image}}'"
    rows = control.ssh(control.group("app")[0], f"sudo docker service ls --format {form}").splitlines()
    pairs = (row.split(" ", 1) for row in rows)
    return {name.removeprefix("nexus_"): image.partition("@")[0].rsplit(":", 1)[1] for name, image in pairs}


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


def test_releases_of_an_earlier_version_are_taken_over(ready: Control) -> None:
    """The version before kept each entry in its own config."""
    if not stored(ready):
        assert released(ready, SERVICE, number()).status == 0
    before, running, app = stored(ready), images(ready), ready.group("app")[0]
    assert before
    for name, text in before.items():
        labels = f"--label {shlex.quote(f'nexus.kept={name}')} --label {shlex.quote(f'nexus.value={text}')}"
        ready.ssh(app, f"echo x | sudo docker config create {labels} nexus-{name.replace(' ', '-')} -")
    ready.ssh(app, "sudo docker config rm nexus-environment")
    done = ready.converged()
    assert done.changes == ["swarm: nexus-environment: is missing"], done.end
    assert (stored(ready), images(ready)) == (before, running)
    names = ready.ssh(app, "sudo docker config ls --filter label=nexus.kept --format '{{.Name}}'").split()
    assert names == ["nexus-environment"]
    assert ready.converged().closing[0] == 0


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
@pytest.mark.parametrize("policy", ["stop", "back"])
def test_one_bad_service_in_the_middle(ready: Control, policy: str, figure: Figure) -> None:
    """Images are built beforehand. All are good except one in the second wave."""
    env = ready.planned
    order = waves(env, env.catalogue.services, int(env.setting.release_side_by_side))
    bad, before, release = order[1][0], images(ready), number()
    built = build_only(ready, bad, release, "start")
    assert built.status != 0
    assert images(ready) == before
    done = released(ready, "all", release, release_on_failure=policy)
    assert done.status != 0, done.end
    now = images(ready)
    assert now[bad] == before[bad]
    through = [name for wave in order[:1] for name in wave]
    later = [name for wave in order[2:] for name in wave]
    assert {now[name] for name in through} == ({release} if policy == "stop" else {before[n] for n in through})
    assert all(now[name] == before[name] for name in later)
    figure(f"one bad service of all, policy {policy}: run", done.seconds)
    assert ready.converged().closing[0] == 0


def build_only(control: Control, service: str, release: str, fault: str) -> Outcome:
    """Build the image of a bad release: the run that builds it deploys it and rolls it back."""
    return released(control, service, release, fault)


@pytest.mark.full
def test_the_whole_platform_goes_back(ready: Control, figure: Figure) -> None:
    env, before, release = ready.planned, images(ready), number()
    done = released(ready, "all", release)
    assert done.status == 0, done.end
    figure(f"release of all {len(env.catalogue.services)} services", done.seconds)
    routes = {
        name: env.catalogue.routes_of(name)[0].path
        for name, service in env.catalogue.services.items()
        if size(env, service).replicas > 1 and env.catalogue.routes_of(name)
    }
    loads = [Requests(ready, path, name, rate=20) for name, path in [*routes.items()][:3]]
    for load in loads:
        load.__enter__()
    back = ready.run(deploy="deploys/rollback.py", data={"services": "all"})
    for load in loads:
        load.stop()
        figure.timeline(f"Requests sent to {load.service}, by the release that answered", load.moments())
    assert back.status == 0, back.end
    now = images(ready)
    assert {name: now[name] for name in env.catalogue.services} == {n: before[n] for n in env.catalogue.services}
    figure("rollback of the whole platform", back.seconds)
    assert back.seconds <= ROLLBACK_SECONDS
    for load in loads:
        assert not [one for one in load.failed if one.status not in (404, 405)], load.told()
    assert ready.converged().closing[0] == 0


@pytest.mark.full
def test_back_without_a_registry(ready: Control) -> None:
    before, release = images(ready)[SERVICE], number()
    assert released(ready, SERVICE, release).status == 0
    ops = ready.group("ops")[0]
    ready.ssh(ops, "sudo systemctl stop docker-registry")
    try:
        back = ready.run(deploy="deploys/rollback.py", data={"services": SERVICE})
    finally:
        ready.ssh(ops, "sudo systemctl start docker-registry")
    assert back.status == 0, back.end
    assert images(ready)[SERVICE] == before
    forth = ready.run(deploy="deploys/rollback.py", data={"services": SERVICE, "to": release})
    assert forth.status == 0, forth.end
    assert images(ready)[SERVICE] == release


@pytest.mark.full
def test_a_rollback_restores_configuration_not_credentials(ready: Control) -> None:
    before, path = mounted(ready), "/run/secrets/config"
    flag: Mapping[str, Any] = {"service_environment_of": {SERVICE: {"FLAG": "on"}}}
    assert released(ready, SERVICE, number(), **flag).status == 0
    between = mounted(ready)
    assert between[path] != before[path]
    assert ready.run(deploy="deploys/rollback.py", data={"services": SERVICE}).status == 0
    assert mounted(ready) == {**between, path: before[path]}
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
