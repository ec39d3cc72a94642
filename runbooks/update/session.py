"""An update as it is carried out: one host after the other leaves, changes, returns, and is in service again."""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial

from nexus import console
from nexus.error import OperatorError
from nexus.run.runbook import Act, carry_out, watch
from roles.alertmanager.silence import silenced_host
from roles.apt.host.state import DONE, WAITING
from runbooks.update import drain
from runbooks.update.gate import out_of_service
from runbooks.update.plan import Visit, led, successor
from runbooks.update.reboot import reboot, state
from runbooks.update.record import CHANGING, LEAVING, RETURNING, Record
from runbooks.update.situation import PACKAGES, Situation, now

OTHER_SECONDS = 1800  # of a visit besides the reboot: the end of its silence if this run dies


class Session:
    """One run of deploys/update.py: `order` names it in the records of the hosts, `visits` are in their order."""

    def __init__(self, situation: Situation, order: str, visits: Sequence[Visit], when: str) -> None:
        self.situation, self.run, self.order, self.visits, self.when = situation, situation.run, order, visits, when
        self.setting = situation.env.setting
        self.done: list[str] = []

    def acts(self) -> list[Act]:
        """One act for each host, after one that writes down which hosts take part."""
        if not self.visits:
            return []
        titles = {module.STORE: module.TITLE for module in self.situation.stores_by_role.values()}
        fresh = [one.host for one in self.visits if not one.unfinished]
        begin = [Act(f"Note the order on {', '.join(fresh)}", partial(self._begin, fresh))] if fresh else []
        return [*begin, *(Act(one.told(titles), partial(self.take, one), one.host) for one in self.visits)]

    def _begin(self, names: Sequence[str]) -> None:
        for name in names:
            self.situation.note(name, self._record(WAITING))

    def take(self, visit: Visit) -> None:
        """Visit one host; OperatorError says where everything stands if it fails.

        All was in service before: that was asked before the first visit, and awaited after each.
        """
        record = self._record(LEAVING)
        try:
            if visit.unfinished:
                self._bring_back(visit.host)
            with ExitStack() as stack:
                record = self._change(visit, record, stack)
                self._settle(visit.host)
        except OperatorError as error:
            raise OperatorError(self._stopped(visit, str(error))) from None
        self.situation.note(visit.host, record.at_step(DONE, now()))
        self.done.append(visit.host)

    def _bring_back(self, name: str) -> None:
        """Let a host that an earlier update left take tasks again, and wait for all: only then may it leave again."""
        if drain.drains(self.run, name):
            drain.activate(self.run, name)
        self._settle(name)

    def _change(self, visit: Visit, record: Record, stack: ExitStack) -> Record:
        """Take the host out of service if its daemons stop, update it, reboot it; in any case it takes tasks again.

        A signal ends this at once: the record then tells the next run that the host is drained.
        """
        name, drained = visit.host, False
        try:
            if visit.leaves:
                drained = self._leave(visit, record, stack)
            self.situation.note(name, record.at_step(CHANGING, now(), drained=drained))
            if visit.updates:
                names = [update.name for update in visit.updates]
                carry_out(self.run, name, f"update {len(names)} packages", PACKAGES, "install", {"names": names})
            if visit.why or (self.when != "never" and state(name)["reboot"]):
                if not visit.leaves:  # a package asked for a reboot that was not foreseen
                    drained = self._leave(visit, record, stack)
                reboot(self.run, name, float(self.setting.update_return_seconds))
                record = record.at_step(RETURNING, now(), rebooted=True)
                self.situation.note(name, record.at_step(RETURNING, now(), drained=drained))
        except OperatorError as error:
            if drained:
                self._after_failure(name, error)
            raise
        if drained:
            drain.activate(self.run, name)
        return record

    def _after_failure(self, name: str, error: OperatorError) -> None:
        """Let the host take tasks again at once; OperatorError with both reasons if that fails, too."""
        try:
            drain.activate(self.run, name)
        except OperatorError as also:
            raise OperatorError(f"{error}\n{also}") from None

    def _leave(self, visit: Visit, record: Record, stack: ExitStack) -> bool:
        """Let others lead and run tasks; returns whether the host is drained."""
        name = visit.host
        seconds = float(self.setting.update_return_seconds) + OTHER_SECONDS
        alerts = self.situation.alerts(name)
        stack.enter_context(silenced_host(self.run, name, f"update of {name}", seconds, alerts))
        self._hand_over(name)
        what = "the wait until others can do without it"
        asked = partial(self._needed, name)
        watch(self.run, name, what, asked, lambda why: not why, float(self.setting.update_settle_seconds))
        if not drain.drains(self.run, name):
            self.situation.note(name, record.at_step(LEAVING, now()))
            return False
        self.situation.note(name, record.at_step(LEAVING, now(), drained=True))
        try:
            drain.drain(self.run, name)
        except OperatorError as error:
            self._after_failure(name, error)
            raise
        return True

    def _hand_over(self, name: str) -> None:
        """Move what the host leads now to hosts that have had their visit."""
        rest = [one.host for one in self.visits if one.leaves and one.host not in (*self.done, name)]
        for store in led(name, self.situation.stores()):
            to = successor(store, name, rest)
            for act in self.situation.module(store.name).move(self.run, name, to):
                console.say(f"      {act.what}")
                act.do()
                self.run.hosts.drop_all()

    def _needed(self, name: str) -> dict[str, str]:
        why = self.situation.needed(name)
        return {name: why} if why else {}

    def _settle(self, name: str) -> None:
        """Wait until all daemons of all hosts are in service: replicas follow, nodes are ready, services answer."""

        def missing() -> dict[str, str]:
            return {" ".join(key): why for key, why in out_of_service(self.situation.status()[0]).items()}

        what = "the wait until all is in service again"
        watch(self.run, name, what, missing, lambda found: not found, float(self.setting.update_settle_seconds))

    def _record(self, step: str) -> Record:
        return Record(self.order, step, now().isoformat(timespec="seconds"))

    def _stopped(self, visit: Visit, why: str) -> str:
        rest = [one.host for one in self.visits if one.host not in (*self.done, visit.host)]
        standing = "unknown: it does not answer"
        with suppress(OperatorError):
            standing = f"reboot due: {', '.join(state(visit.host)['reboot']) or 'no'}"
        return "\n".join(
            [
                why,
                f"done: {', '.join(self.done) or 'no host'}",
                f"stopped at: {visit.host}, which takes tasks again if it was drained ({standing})",
                f"not begun: {', '.join(rest) or 'no host'}",
                "Fix it and rerun the same command: it continues with this host.",
            ]
        )
