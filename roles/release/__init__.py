"""Releases of services: forward through gates, and back.

    pyinfra inventory deploys/release.py --data services=auth-service,user-auth --data release=2.4.1
    pyinfra inventory deploys/rollback.py --data services=all
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pyinfra.context import state

from roles.functional.plan import checks
from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.release import back, build
from roles.release.plan import selected, waves
from roles.release.session import Session
from roles.release.situation import Situation
from roles.runbook import Act, act


def release() -> None:
    """Bring the services that `services` names to the release that `release` names."""
    act("Release services", forward)


def rollback() -> None:
    """Bring the services that `services` names back to their previous release, or to that which `to` names."""
    act("Roll services back", back.plan)


def forward(run: Run) -> Sequence[Act]:
    """The acts of a release; OperatorError, before anything was changed, for what cannot be."""
    if "release" not in state.inventory.get_override_data():
        raise OperatorError("say which release: --data release=2.4.1")
    setting = run.environment.setting
    if setting.release_on_failure not in ("stop", "back"):
        raise OperatorError(f'release_on_failure={setting.release_on_failure}: it is "stop" or "back"')
    number = str(setting.release)
    situation = Situation(run)
    checks(situation.env)  # its gates' setting, before anything is changed
    names = selected(situation.env, str(setting.services))
    found = situation.digests(names, number)
    missing = [name for name in names if "digest" not in found[name]]
    if missing and not setting.build:
        known = ", ".join(found[missing[0]]["releases"]) or "none"
        raise OperatorError(
            f"the registry has no whole image of {', '.join(missing)} at release {number}; of {missing[0]} it has: "
            f"{known}. Name one of these, or build it from the sources at hand: --data build=true"
        )
    session = Session(situation, number)
    acts = [build.act_of(situation, missing, number)] if missing else []
    ready = [name for name in names if name not in missing]
    steps = {step.name: step for step in session.steps(ready, found)}
    wanted = [name for name in names if name in missing or session.needed(steps[name])]
    if wanted:
        acts.append(Act(f"Have the images of {len(wanted)} services on all app hosts", partial(session.fetch, wanted)))
    for wave in waves(situation.env, wanted, int(setting.release_side_by_side)):
        what = ", ".join(f"{name} ({steps[name].before.release})" if name in steps else name for name in wave)
        for percent in session.canaries:
            acts.append(
                Act(f"Give {number} of {what} {percent} % of the traffic", partial(session.share, wave, percent))
            )
        acts.append(Act(f"Release {number} of {what}", partial(session.wave, wave)))
    return acts
