"""Releases of services and front ends through gates, and rollbacks: deploys/release.py and deploys/rollback.py."""

import base64
from collections.abc import Sequence
from functools import partial

from pyinfra.context import state

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import Act, act, carry_out
from roles.image.plan import plan as image_plan
from roles.image.releases import IMAGES
from roles.registry.plan import registry_host
from roles.service.engine import KUBERNETES, engine_of
from runbooks.release import front_end, revert
from runbooks.release.cluster import ClusterEngine, ClusterSession
from runbooks.release.context import Situation
from runbooks.release.engine import Engine
from runbooks.release.plan import waves
from runbooks.release.rollout import SwarmSession
from runbooks.release.session import Session


def release(services: Sequence[str], canary: int = 0, build: bool = False, frontends: str = "") -> None:
    """Bring services to the release that the setting `release` names, or front ends to their newest build."""
    _check_named(services, frontends)
    if frontends and (canary or build):
        raise OperatorError(
            "canary and build are for services, so drop them: a run builds front ends whose sources changed, and all "
            "visitors get a release at once"
        )
    if frontends:
        act("Release front ends", partial(front_end.forward, words=frontends))
    elif "release" not in state.inventory.get_override_data():
        raise OperatorError("name the release: --data release=2.4.1")
    else:
        act("Release services", partial(forward, services=services, canary=canary, build=build))


def rollback(services: Sequence[str], to: str = "", frontends: str = "") -> None:
    """Bring services or front ends back to their previous release, or to the release `to`."""
    _check_named(services, frontends)
    if frontends:
        act("Roll front ends back", partial(front_end.back, words=frontends, to=to))
    else:
        act("Roll services back", partial(back, services=services, to=to))


def _check_named(services: Sequence[str], frontends: str) -> None:
    if not services and not frontends:
        raise OperatorError(
            "name services: --data services=auth-service,user-auth, or --data services=all; or front ends: "
            "--data frontends=core-os, or --data frontends=all"
        )
    if services and frontends:
        raise OperatorError("services and front ends are released by runs of their own: name one kind")


def forward(run: Run, services: Sequence[str], canary: int, build: bool) -> Sequence[Act]:
    """The acts of a release; OperatorError, before any change, if it is impossible."""
    setting = run.environment.setting
    if setting.release_on_failure not in ("stop", "back"):
        raise OperatorError(f'release_on_failure={setting.release_on_failure}: use "stop" or "back"')
    number = str(setting.release)
    session = begin(run, number, canary)
    found = session.engine.digests(services, number)
    missing = [name for name in services if "digest" not in found[name]]
    if missing and not build:
        known = ", ".join(found[missing[0]]["releases"]) or "none"
        raise OperatorError(
            f"the registry has no complete image of {', '.join(missing)} at release {number}; of {missing[0]} it has: "
            f"{known}. Name one of these, or build it from the sources at hand: --data build=true"
        )
    acts = [_build(session.engine, missing, number)] if missing else []
    ready = [name for name in services if name not in missing]
    steps = {step.name: step for step in session.steps(ready, found)}
    wanted = [name for name in services if name in missing or session.needed(steps[name])]
    if wanted:
        acts += session.prepared(wanted)
    for wave in waves(session.engine.env, wanted, int(setting.release_side_by_side)):
        what = ", ".join(f"{name} ({steps[name].before.release})" if name in steps else name for name in wave)
        acts += session.shared(wave, what)
        acts.append(Act(f"Release {number} of {what}", partial(session.wave, wave)))
    return acts


def back(run: Run, services: Sequence[str], to: str) -> Sequence[Act]:
    """The act of a rollback; OperatorError, before any change, if it is impossible."""
    in_cluster = engine_of(run.environment) == KUBERNETES
    return revert.plan(ClusterEngine(run) if in_cluster else Situation(run), services, to)


def begin(run: Run, release: str, canary: int = 0) -> Session:
    """The session of a release, in the engine of the environment."""
    if engine_of(run.environment) == KUBERNETES:
        return ClusterSession(ClusterEngine(run), release, canary)
    return SwarmSession(Situation(run), release, canary)


def _build(on: Engine, names: Sequence[str], release: str) -> Act:
    """The act that builds these services' images from the sources at hand: NEXUS_SOURCE, or the reference service."""
    host = registry_host(on.env)
    if host is None:
        raise OperatorError("an ops host builds images, and the group ops is empty: name a host in the inventory")

    def build() -> None:
        plan = image_plan(on.env, host)
        (images,) = plan.states
        context = {
            "items": {f"image {name}": dict(images.items[f"image {name}"]) for name in names},
            "image": dict(images.context),
            "payload": dict(images.payload),
            "files": {file.path: base64.b64encode(file.data).decode() for file in plan.files},
        }
        carry_out(on.run, host.name, f"build {len(names)} images", IMAGES, "build", context)

    return Act(f"Build the images of {', '.join(names)} at release {release}", build, host.name)
