"""Updates of hosts and their reboots, one host at a time: deploys/update.py."""

from collections.abc import Mapping, Sequence
from functools import partial

from pyinfra.api.deploy import deploy

from nexus.error import OperatorError
from nexus.run.row import SILENT, Answers, Row
from nexus.run.run import Run
from nexus.run.runbook import Act, act
from roles.apt.plan import in_order
from runbooks.update import gate
from runbooks.update.plan import Found, Visit, Wish, chosen, ordered, visit, with_moves
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
    visits = _visits(found, wanted, wish, order)
    if unknown := set(wish.packages) - {update.name for one in visits for update in one.updates}:
        run.outcome.note("update", f"no newer version is known of {', '.join(sorted(unknown))}")
    stores = situation.stores()
    visits = with_moves(ordered(visits, stores), stores)
    if visits:
        _check(situation, any(one.unfinished for one in visits))
        _alone(run, visits, groups)
    return Session(situation, order, visits, wish.reboot).acts()


def _visits(found: dict[str, Found], wanted: Sequence[str], wish: Wish, order: str) -> list[Visit]:
    """Turns of the wanted hosts, and of any host that an earlier update left in the middle."""
    patterns = in_order()
    left = [name for name, one in found.items() if one.record and one.record.unfinished]
    visits = (visit(name, found[name], wish, order, patterns) for name in found if name in (*wanted, *left))
    return [one for one in visits if one]


def _check(situation: Situation, continues: bool) -> None:
    """Refuse an update while something is out of service; one that continues brings its own host back first."""
    reasons = gate.outside(str(situation.env.setting.update_window), now())
    reasons += [] if continues else gate.blocking(*_status(situation))
    if not reasons:
        return
    if situation.run.dry:
        situation.run.outcome.note("update", gate.refusal(reasons))
        return
    raise OperatorError(gate.refusal(reasons))


def _status(situation: Situation) -> tuple[Sequence[Row], Answers]:
    """The status of all hosts. A busy host may answer too late once: it is asked again."""
    rows, answers = situation.status()
    return situation.status() if any(row.value == SILENT for row in rows) else (rows, answers)


def _alone(run: Run, visits: Sequence[Visit], groups: Mapping[str, Sequence[str]]) -> None:
    """Tell of hosts that no other one can stand in for."""
    for one in visits:
        alone = sorted(group for group, members in groups.items() if list(members) == [one.host])
        if one.leaves and alone:
            text = f"{one.host} is the only host of {', '.join(alone)}: what it does there stops meanwhile"
            run.outcome.note("update", text)
