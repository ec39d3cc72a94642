"""Secrets changed while the platform runs: each step changes the secrets file, and a run of all roles follows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from nexus import console
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.run.host_state import executing
from nexus.run.run import Run, current_run
from nexus.run.runbook import Act, act
from runbooks.secret import rotation
from runbooks.secret.rule import chosen, rule_of, units


def introduce(names: str = "", force: bool = False) -> None:
    """New values of the secrets with these names that stores and services accept beside those in use."""
    _wanted(current_run(), names, force)
    current_run().unsettle()  # what the steps change is known only once they are carried out
    act("Make new secrets beside those in use", partial(_introduce, names=names, force=force))


def switch() -> None:
    """Every side uses the new values; the old ones are still accepted."""
    act("Switch to the new secrets", _switch)


def retire(at_once: bool = False) -> None:
    """The old values open nothing any more; at once also those that are held for who may still use them."""
    act("Retire the old secrets", partial(_retire, at_once=at_once))


def _introduce(run: Run, names: str = "", force: bool = False) -> Sequence[Act]:
    env, wanted = run.environment, _wanted(run, names, force)
    fresh = [unit for unit in wanted if not env.secrets.step(unit)]
    if not executing():
        _tell(env, wanted, fresh, everything=names == "all")
    return _step(run, fresh, "Make new values for", lambda: rotation.introduce(env, fresh))


def _switch(run: Run) -> Sequence[Act]:
    env = run.environment
    waiting = [unit for unit in units(env) if env.secrets.step(unit) == rotation.PREPARED]
    return _step(run, waiting, "Use the new values of", lambda: rotation.switch(env))


def _retire(run: Run, at_once: bool = False) -> Sequence[Act]:
    env = run.environment
    over = []
    for unit in rotation.switched(env):
        until = "" if at_once else rotation.held(env, unit)
        if until:
            text = f"the old {unit} stays accepted until {until}: then run rotate_secrets.py again"
            run.outcome.note("secrets", text)
        else:
            over.append(unit)
    return _step(run, over, "End the old values of", lambda: rotation.retire(env, at_once))


def _step(run: Run, names: list[str], what: str, change: Callable[[], object]) -> Sequence[Act]:
    """One act that changes the secrets file, if there is anything to change."""

    def do() -> None:
        change()
        run.environment.secrets.save()
        run.hosts.replan()

    return [Act(f"{what} {'; '.join(rotation.grouped(names))}", do)] if names else []


def _wanted(run: Run, names: str, force: bool) -> list[str]:
    """What is to be rotated.

    OperatorError where nothing was named, and where a host would be left with what opens nothing any more.
    """
    env = run.environment
    wanted = chosen(env, names)
    if not wanted and not rotation.unfinished(env):
        raise OperatorError(
            "no secret was named and no rotation is under way: --data secrets=all, or some of "
            f"{', '.join(rotation.grouped(units(env)))}"
        )
    missing = [host.name for host in env.hosts if not run.hosts.reaches(host.name)]
    if missing and not force:
        raise OperatorError(
            f"{', '.join(missing)} would be left with old secrets, which this run ends: bring them back or drop "
            "--limit. If they are lost for good: --data force=true; what comes back later is mended by full.py"
        )
    return wanted


def _tell(env: Environment, wanted: list[str], fresh: list[str], everything: bool) -> None:
    """What a whole rotation would do, for a dry run: its later steps depend on the first."""
    if begun := rotation.unfinished(env):
        console.say(f"    would go on with what was begun: {'; '.join(rotation.grouped(begun))}")
    pairs = [unit for unit in fresh if rule_of(env, unit).kind == "pair"]
    others = [unit for unit in wanted if unit not in pairs]
    for names, how in ((pairs, "use their other log-in with a new password"), (others, "have a new value")):
        if names:
            console.say(f"    would {how}: {'; '.join(rotation.grouped(names))}")
    for unit in units(env) if everything else []:
        if why := rule_of(env, unit).why:
            console.say(f"    {unit} stays as it is: {why}")
