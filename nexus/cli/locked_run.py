"""The frame of a run that changes hosts: it takes the lock, writes the audit record and checks daemons at the end.

A run that changes nothing passes through without a request to any host.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pyinfra import logger
from pyinfra.api.state import BaseStateCallback

from nexus.audit.writer import Writer, plans
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.lock.lease import Lease
from nexus.run import daemons, host_wide, plan_file
from nexus.run.interruption import Interrupted, interruption
from nexus.run.run import Run, begun
from nexus.run.side_by_side import side_by_side
from nexus.transport.host_client import HostClient
from nexus.workstation import write_whole

CLAIM_SECONDS = 1800.0  # the longest step that a dead run may have left under way: see nexus/agent/turn.py


class _EveryOperation(BaseStateCallback):
    """Prevents operations from starting on a host once the lock is lost."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    def operation_host_start(self, state: Any, host: Any, op_hash: str) -> None:
        """Raise OperatorError if the lock is lost."""
        self._lease.confirm()


def around(run_ops: Callable[..., None]) -> Callable[..., None]:
    """Wrap pyinfra's `run_ops`: hold the lock and write the record if the run changes hosts."""

    def work(state: Any, **options: Any) -> None:
        run = begun()
        if run:
            plan_file.check(run)
        if not run or not changes(run, state):
            run_ops(state, **options)
            return
        with _alone(run, state) as lease:
            state.add_callback_handler(_EveryOperation(lease))
            run_ops(state, **options)

    return work


def changes(run: Run, state: Any) -> bool:
    """Return True if an operation of this run may change a host, as far as known now."""
    kinds = set(state.get_op_order())
    if kinds - run.reading - run.journaled:
        return True
    return bool(kinds - run.reading) and bool(host_wide.intended(run))


@contextmanager
def _alone(run: Run, state: Any) -> Iterator[Lease]:
    """Hold the lock and write the record while the block changes hosts."""
    names = [host.name for host in state.activated_hosts]
    side_by_side(run.hosts.answer, names)
    lease = Lease(run.environment, run.all_roles)
    try:
        lease.take(max((run.hosts.answer(name)["fence"]["run"] for name in names), default=0))
        if moved := _claim(run, names, lease.number):
            logger.warning(f"    lock: {', '.join(moved)} changed while this run looked at it: asked again")
            run.refresh()
            side_by_side(run.hosts.answer, names)
            plan_file.check(run)
        run.environment.secrets.check_unchanged()
        run.environment.secrets.save()  # a secret must be saved before anything uses it
        write_ca_file(run.environment)
        tell_unfinished(run, names)
        writer = Writer(run, state, lease)
        writer.begin(plans(run))
        try:
            yield lease
            daemons.check(run)
        except Interrupted as error:
            with interruption.shielded():
                writer.end(f"interrupted by {error.reason}", ask=False)
            raise
        except BaseException as error:
            with interruption.shielded():
                writer.end(f"failed: {_told(error, state)}")
            raise
        with interruption.shielded():
            writer.end("complete")
    finally:
        with interruption.shielded():
            lease.release()


def write_ca_file(env: Environment) -> None:
    """Write the certificate of the environment's CA to the file in `ca_file`, for clients on this machine."""
    if not env.setting.ca_file:
        return
    certificate, target = env.tls.certificate, env.root / str(env.setting.ca_file)
    if not target.exists() or target.read_text() != certificate:
        write_whole(target, certificate)


def tell_unfinished(run: Run, names: list[str]) -> None:
    """Tell what an earlier run left unfinished on these hosts; roles of this run tell it themselves."""
    for name in names:
        for role in run.hosts.roles(name):
            if role in run.planned[name]:
                continue
            for planned in run.hosts.plan(name, role, asking=True).states:
                for item in planned.present(run.hosts.answer(name)).get("items", {}).values():
                    if text := item.get("unfinished"):
                        run.outcome.note(name, text)


def _claim(run: Run, names: list[str], number: int) -> list[str]:
    """Make all hosts refuse older runs; return the hosts that carried out a step after their answer."""
    claimed = side_by_side(lambda name: HostClient(name).claim(number, CLAIM_SECONDS), names)
    return [name for name in names if claimed[name]["steps"] != run.hosts.answer(name)["fence"]["steps"]]


def _told(error: BaseException, state: Any) -> str:
    hosts = ", ".join(sorted(host.name for host in state.failed_hosts))
    kind = f"{error}" if isinstance(error, OperatorError) else type(error).__name__
    return f"{f'on {hosts}: ' if hosts else ''}{kind}"[:500]
