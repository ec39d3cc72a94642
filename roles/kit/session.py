"""What stands around the operations of a run that changes hosts: the lock before them, the record around them.

A run that changes nothing comes through here without a question to any host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from pyinfra import logger
from pyinfra.api.state import BaseStateCallback

from roles.kit import apply, converge
from roles.kit.aside import claim
from roles.kit.environment import ROOT, Environment
from roles.kit.error import OperatorError
from roles.kit.run import Run, begun
from roles.lock.lease import Lease
from roles.record.writer import Writer, plans

CLAIM_SECONDS = 1800.0  # as long as a step that a dead run left under way may take: see agent/base.py


class _EveryOperation(BaseStateCallback):
    """Lets no operation begin on a host once the lock is lost."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    def operation_host_start(self, state: Any, host: Any, op_hash: str) -> None:
        """Raises OperatorError where the lock is lost."""
        self._lease.confirm()


def around(run_ops: Callable[..., None]) -> Callable[..., None]:
    """pyinfra's `run_ops` for this project."""

    def work(state: Any, **options: Any) -> None:
        run = begun()
        if run:
            apply.check(run)
        if not run or not _changes(run, state):
            run_ops(state, **options)
            return
        with _alone(run, state) as lease:
            state.add_callback_handler(_EveryOperation(lease))
            run_ops(state, **options)

    return work


def _changes(run: Run, state: Any) -> bool:
    """Whether any operation of this run may change a host, by what is known now."""
    kinds = set(state.get_op_order())
    if kinds - run.reading - run.journaled:
        return True
    return bool(kinds - run.reading) and bool(converge.intended(run))


@contextmanager
def _alone(run: Run, state: Any) -> Iterator[Lease]:
    """The lock and the record for as long as hosts are changed."""
    names = [host.name for host in state.activated_hosts]
    _ask(run, names)
    lease = Lease(run.environment)
    about = gevent.spawn(plans, run)  # while the lock is asked for
    lease.take(max((run.answer(name)["fence"]["run"] for name in names), default=0))
    try:
        if moved := _claim(run, names, lease.number):
            logger.warning(f"    lock: {', '.join(moved)} changed while this run looked at it: asked again")
            run.again()
            _ask(run, names)
            apply.check(run)
            about = gevent.spawn(plans, run)
        run.environment.secrets.check_unchanged()
        run.environment.secrets.save()  # nothing may run with a secret that nobody keeps
        hand_out_authority(run.environment)
        writer = Writer(run, state, lease)
        writer.begin(about.get())
        try:
            yield lease
        except BaseException as error:
            writer.end(f"failed: {_told(error, state)}")
            raise
        writer.end("complete")
    finally:
        lease.release()


def hand_out_authority(env: Environment) -> None:
    """Write the certificate of the environment's CA where its settings say, for clients on this machine."""
    if not env.setting.ca_file:
        return
    certificate, target = env.tls.certificate, ROOT / str(env.setting.ca_file)
    if not target.exists() or target.read_text() != certificate:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(certificate)


def _ask(run: Run, names: list[str]) -> None:
    """Ask all hosts that were not asked yet, side by side."""
    gevent.joinall([gevent.spawn(run.answer, name) for name in names], raise_error=True)


def _claim(run: Run, names: list[str], number: int) -> list[str]:
    """Let all hosts refuse older runs; those on which a step was carried out after they had answered."""
    jobs = {name: gevent.spawn(claim, name, number, CLAIM_SECONDS) for name in names}
    gevent.joinall(jobs.values(), raise_error=True)
    return [name for name in names if jobs[name].value["steps"] != run.answer(name)["fence"]["steps"]]


def _told(error: BaseException, state: Any) -> str:
    hosts = ", ".join(sorted(host.name for host in state.failed_hosts))
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return "interrupted by its operator"
    kind = f"{error}" if isinstance(error, OperatorError) else type(error).__name__
    return f"{f'on {hosts}: ' if hosts else ''}{kind}"[:500]
