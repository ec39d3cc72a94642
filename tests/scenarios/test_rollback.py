"""Rollbacks: one bad service among all, the whole platform, without a registry, and records of an earlier version."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import pytest
from conftest import Figure
from control import Control
from http_load import Requests
from releases import SERVICE, images, mounted, number, released, stored

from roles.service.scale import size
from runbooks.release.plan import waves

ROLLBACK_SECONDS = 180


@pytest.mark.full
@pytest.mark.parametrize("policy", ["stop", "back"])
def test_one_bad_service_in_the_middle(ready: Control, policy: str, figure: Figure) -> None:
    """Images are built beforehand. All are good except one in the second wave."""
    env = ready.planned
    order = waves(env, env.catalogue.services, int(env.setting.release_side_by_side))
    bad, before, release = order[1][0], images(ready), number()
    built = released(ready, bad, release, "start")  # it is deployed, too, and rolled back
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
