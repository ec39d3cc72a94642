"""Secrets changed while the platform runs: each step changes the secrets file, and a run of all roles follows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyinfra import logger

from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.runbook import Act, act
from roles.secret import rotation
from roles.secret.rule import chosen, rule_of, units


def introduce() -> None:
    """New values that stores and services accept beside those in use."""
    _wanted(Run.current)
    Run.current.unsettle()  # what the steps change is known only once they are carried out
    act("Make new secrets beside those in use", _introduce)


def switch() -> None:
    """Every side uses the new values; the old ones are still accepted."""
    act("Switch to the new secrets", _switch)


def retire() -> None:
    """The old values open nothing any more."""
    act("Retire the old secrets", _retire)


def _introduce(run: Run) -> Sequence[Act]:
    env, wanted = run.environment, _wanted(run)
    fresh = [unit for unit in wanted if not env.secrets.step(unit)]
    if not run.executing():
        _tell(env, wanted, fresh)
    return _step(run, fresh, "Make new values for", lambda: rotation.introduce(env, fresh))


def _switch(run: Run) -> Sequence[Act]:
    env = run.environment
    waiting = [unit for unit in units(env) if env.secrets.step(unit) == rotation.PREPARED]
    return _step(run, waiting, "Use the new values of", lambda: rotation.switch(env))


def _retire(run: Run) -> Sequence[Act]:
    env, at_once = run.environment, bool(run.environment.setting.retire)
    over = []
    for unit in rotation.switched(env):
        until = "" if at_once else rotation.held(env, unit)
        if until:
            run.note("secrets", f"the old {unit} stays accepted until {until}: then run rotate_secrets.py again")
        else:
            over.append(unit)
    return _step(run, over, "End the old values of", lambda: rotation.retire(env, at_once))


def _step(run: Run, names: list[str], what: str, change: Callable[[], object]) -> Sequence[Act]:
    """One act that changes the secrets file, if there is anything to change."""

    def do() -> None:
        change()
        run.environment.secrets.save()
        run.replan()

    return [Act(f"{what} {'; '.join(rotation.grouped(names))}", do)] if names else []


def _wanted(run: Run) -> list[str]:
    """What is to be rotated.

    OperatorError where nothing was named, and where a host would be left with what opens nothing any more.
    """
    env = run.environment
    wanted = chosen(env, str(env.setting.secrets))
    if not wanted and not rotation.unfinished(env):
        raise OperatorError(
            "no secret was named and no rotation is under way: --data secrets=all, or some of "
            f"{', '.join(rotation.grouped(units(env)))}"
        )
    missing = [host.name for host in env.hosts if not run.reaches(host.name)]
    if missing and not env.setting.force:
        raise OperatorError(
            f"{', '.join(missing)} would be left with old secrets, which this run ends: bring them back or drop "
            "--limit. If they are lost for good: --data force=true; what comes back later is mended by full.py"
        )
    return wanted


def _tell(env: Environment, wanted: list[str], fresh: list[str]) -> None:
    """What a whole rotation would do, for a dry run: its later steps depend on the first."""
    if begun := rotation.unfinished(env):
        logger.info(f"    would go on with what was begun: {'; '.join(rotation.grouped(begun))}")
    pairs = [unit for unit in fresh if rule_of(env, unit).kind == "pair"]
    others = [unit for unit in wanted if unit not in pairs]
    for names, how in ((pairs, "use their other log-in with a new password"), (others, "have a new value")):
        if names:
            logger.info(f"    would {how}: {'; '.join(rotation.grouped(names))}")
    for unit in units(env) if env.setting.secrets == "all" else []:
        if why := rule_of(env, unit).why:
            logger.info(f"    {unit} stays as it is: {why}")
