"""Rotate secrets while the platform runs. Each step changes the secrets file; a run of all roles follows it."""

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
    """Make new values of these secrets, which stores and services accept in addition to those in use."""
    _wanted(current_run(), names, force)
    current_run().mark_changed()  # the changes are known only once the steps are carried out
    act("Make new secrets next to those in use", partial(_introduce, names=names, force=force))


def switch() -> None:
    """Have every side use the new values; the old ones are still accepted."""
    act("Switch to the new secrets", _switch)


def retire(at_once: bool = False) -> None:
    """End the old values; with `at_once` also those that are held for clients that may still use them."""
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
            text = f"the old {unit} stays accepted until {until}: then rerun deploys/rotate_secrets.py"
            run.outcome.note("secrets", text)
        else:
            over.append(unit)
    return _step(run, over, "End the old values of", lambda: rotation.retire(env, at_once))


def _step(run: Run, names: list[str], what: str, change: Callable[[], object]) -> Sequence[Act]:
    """One act that changes the secrets file; none if there is nothing to change."""

    def do() -> None:
        change()
        run.environment.secrets.save()
        run.hosts.replan()

    return [Act(f"{what} {'; '.join(rotation.grouped(names))}", do)] if names else []


def _wanted(run: Run, names: str, force: bool) -> list[str]:
    """The units to rotate.

    OperatorError if none was named, or if a host would be left with secrets that no longer work.
    """
    env = run.environment
    wanted = chosen(env, names)
    if not wanted and not rotation.unfinished(env):
        raise OperatorError(
            "no secret was named and no rotation is in progress: --data secrets=all, or some of "
            f"{', '.join(rotation.grouped(units(env)))}"
        )
    missing = [host.name for host in env.hosts if not run.hosts.reaches(host.name)]
    if missing and not force:
        raise OperatorError(
            f"{', '.join(missing)} would keep the old secrets, which this run ends: bring them back online or drop "
            "--limit. If they are lost for good: --data force=true; full.py repairs a host that returns later"
        )
    return wanted


def _tell(env: Environment, wanted: list[str], fresh: list[str], everything: bool) -> None:
    """Say what a whole rotation would do. A dry run cannot plan its later steps, which depend on the first."""
    if begun := rotation.unfinished(env):
        console.say(f"    would continue the rotation of: {'; '.join(rotation.grouped(begun))}")
    pairs = [unit for unit in fresh if rule_of(env, unit).kind == "pair"]
    others = [unit for unit in wanted if unit not in pairs]
    for names, how in ((pairs, "use their other login with a new password"), (others, "get a new value")):
        if names:
            console.say(f"    would {how}: {'; '.join(rotation.grouped(names))}")
    for unit in units(env) if everything else []:
        if why := rule_of(env, unit).why:
            console.say(f"    {unit} stays as it is: {why}")
