"""Updates of hosts and their reboots, one host at a time: deploys/update.py."""

from collections.abc import Mapping, Sequence
from functools import partial

import click
from pyinfra.api.deploy import deploy

from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import Act, act
from roles.apt.plan import in_order
from runbooks.update import gate
from runbooks.update.plan import Found, Turn, Wish, chosen, ordered, turn, with_moves
from runbooks.update.record import resumed
from runbooks.update.session import Session
from runbooks.update.situation import Situation, now


@deploy("Update hosts")
def update(host: str, group: str, security: str, packages: Sequence[str], when: str) -> None:
    """Update packages of hosts, all of them by default, and reboot them if that is due."""
    wish = Wish(security == "true", tuple(packages), when)
    act("Update hosts", partial(forward, host=host, group=group, wish=wish))


def forward(run: Run, host: str, group: str, wish: Wish) -> Sequence[Act]:
    """One act for each host that has something to do; OperatorError if none may be taken out of service now."""
    situation = Situation(run)
    env = run.environment
    groups = {name: [one.name for one in env.group(name)] for one in env.hosts for name in one.groups}
    names = [one.name for one in env.hosts]
    found = situation.look(names)
    wanted = chosen(names, groups, host, group)
    order = resumed({name: one.record for name, one in found.items()}, str(wish), now())
    order = order or f"{wish} {now().isoformat(timespec='seconds')}"
    turns = _turns(found, wanted, wish, order)
    if unknown := set(wish.packages) - {update.name for one in turns for update in one.updates}:
        run.outcome.note("update", f"no newer version is known of {', '.join(sorted(unknown))}")
    stores = situation.stores()
    turns = with_moves(ordered(turns, stores), stores)
    if turns:
        _check(situation, any(one.unfinished for one in turns))
        _alone(run, turns, groups)
    return Session(situation, order, turns, wish.reboot).acts()


def _turns(found: dict[str, Found], wanted: Sequence[str], wish: Wish, order: str) -> list[Turn]:
    """Turns of the wanted hosts, and of any host that an earlier update left in the middle."""
    patterns = in_order()
    left = [name for name, one in found.items() if one.record and one.record.unfinished]
    turns = (turn(name, found[name], wish, order, patterns) for name in found if name in (*wanted, *left))
    return [one for one in turns if one]


def _check(situation: Situation, continues: bool) -> None:
    """Refuse an update while something is out of service; one that continues brings its own host back first."""
    gate.check_window(str(situation.env.setting.update_window), now())
    rows, answers = situation.status()
    if continues or not (reasons := gate.blocking(rows, answers)):
        return
    if click.get_current_context().params["dry"]:
        situation.run.outcome.note("update", gate.refusal(["it would be refused now:", *reasons]))
        return
    raise OperatorError(gate.refusal(reasons))


def _alone(run: Run, turns: Sequence[Turn], groups: Mapping[str, Sequence[str]]) -> None:
    """Tell of hosts that no other one can stand in for."""
    for one in turns:
        alone = sorted(group for group, members in groups.items() if list(members) == [one.host])
        if one.leaves and alone:
            text = f"{one.host} is the only host of {', '.join(alone)}: what it does there stops during its turn"
            run.outcome.note("update", text)
