"""What happens around a run of pyinfra in this project: checks before it, a summary after it.

`pyinfra inventory deploys/full.py` names a directory, which pyinfra itself cannot open: it stands for
the environment in NEXUS_ENV. Whatever an operator can get wrong is refused here, before any host is
connected to. The few names of pyinfra's command line that are replaced are listed in `begin`.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import click
import gevent
from pyinfra.api import arguments
from pyinfra.context import config

from roles.kit import apply, frames, inputs, inventories, line, looking, manual, progress, reach, session
from roles.kit.environment import Environment
from roles.kit.error import OperatorError
from roles.kit.looking import looks
from roles.kit.refusal import die, plainly, refuse
from roles.kit.run import Run, begun
from roles.kit.summary import summarise
from roles.plans import GROUPS, notes_of, plan_of, roles_of

READ_ONLY = ("debug-inventory", "fact")
YIELD_SECONDS = 0.001  # for connections to go on while the controller is busy


def begin() -> None:
    """Set pyinfra up for this project; called by config.py."""
    from pyinfra_cli import cli

    context = click.get_current_context()
    _collect_less()
    frames.install()
    arguments.all_global_arguments = cache(arguments.all_global_arguments)  # the same, 80 times a run, 0.4 ms each
    config.SUDO = True
    config.FAIL_PERCENT = 0  # a host that fails stops the run: half an environment is worse than none
    config.CONNECT_TIMEOUT = 15
    if manual.asked(context.params["data"]) and _deploys(context):
        click.echo(refuse(manual.manual, Path(context.params["operations"][0])))
        raise SystemExit(0)
    if looks(context):
        looking.prepare(cli)
    cli.WrappedError = plainly(cli.WrappedError)
    refuse(_check_terminal, context)
    refuse(inputs.check_data, context.params["data"])
    if str(context.params["inventory"]).startswith("@"):
        config.SUDO = os.geteuid() != 0
        return
    original = cli.make_inventory
    cli.make_inventory = lambda inventory, **rest: refuse(_load, context, original, inventory, rest)
    cli.connect_all = _naming_the_unreachable(cli.connect_all)
    cli._handle_commands = _reporting(cli._handle_commands)
    cli.run_ops = session.around(cli.run_ops)
    gevent.get_hub().NOT_ERROR += (OperatorError,)  # raised in an operation it is told once, as what it is
    cli._set_fail_prompts = lambda *_: None  # never asked whether to go on with fewer hosts


def _collect_less() -> None:
    """Leave alone what was imported: it stays to the end, and looking through it again and again takes 0.15 s.

    A run that finds nothing to do makes some 200,000 objects that last, and ends before any are looked through.
    """
    gc.freeze()
    gc.set_threshold(400_000, 20, 20)


def _check_terminal(context: click.Context) -> None:
    given = context.params
    asks = not (given["yes"] or given["dry"] or given["operations"][0] in READ_ONLY or looks(context))
    if asks and not sys.stdin.isatty():
        raise OperatorError(
            "no terminal to confirm the changes on: add -y to make them, or --dry to see them"
        )


def _load(context: click.Context, original: Callable[..., Any], inventory: str, rest: dict[str, Any]) -> Any:
    """Load the inventory with pyinfra's own code, and the environment that plans are made from."""
    path = Path(inventory)
    deploys = _deploys(context)
    if path.is_dir():
        path = inventories.file_of(os.environ.get("NEXUS_ENV") or "lab")
    elif not path.is_file() and (inventory.endswith(".py") or "/" in inventory):
        inventories.file_of(path.stem)
        raise OperatorError(f"{inventory} is not there; environments lie in inventory/")
    elif not path.is_file() and deploys:
        raise OperatorError(
            f'"{inventory}" is no inventory: write `pyinfra inventory ...` for the environment in NEXUS_ENV, '
            "or name one, as inventory/lab.py; --limit picks hosts of it"
        )
    elif not path.is_file():
        return original(inventory, **rest)
    found = inputs.load_inventory(original, path, rest)
    loaded = inventories.environment_of(path.stem, found)
    left_out = reach.left_out(loaded, found)
    reach.check_limit(context.params, found)
    run = Run.current = Run(loaded, left_out)
    run.observes_later = _changes_unasked(context)
    apply.check_words(run)
    inputs_now = inputs.fingerprint(loaded)
    if not deploys or not inputs_now or run.memory.sound != inputs_now:
        _check_environment(loaded, deploys)
        run.checked = True
        run.memory.sound = inputs_now if deploys else ""
    context.call_on_close(_collect_less)  # nor once more at the very end
    context.call_on_close(lambda: summarise(Run.current))
    context.call_on_close(line.close_all)
    return found


def _deploys(context: click.Context) -> bool:
    """Whether deploys are run, and not a fact or a command."""
    return str(context.params["operations"][0]).endswith(".py")


def _changes_unasked(context: click.Context) -> bool:
    """Whether a run changes what differs without showing it before: what it finds unhealthy before that is not news."""
    given = context.params
    return bool(given["yes"]) and not given["dry"] and not looks(context)


def _check_environment(loaded: Environment, deploys: bool) -> None:
    """Everything that is wrong and can be known before a host is asked."""
    _ = loaded.catalogue
    gevent.sleep(YIELD_SECONDS)
    if deploys:
        _check_roles(loaded)
    _ = loaded.tls
    if not loaded.secrets.unsaved:
        session.hand_out_authority(loaded)


def _check_roles(loaded: Environment) -> None:
    """Let roles refuse what needs no host to be seen; where no secret may be made, that none is missing."""
    for role, groups in GROUPS.items():
        if any(loaded.group(group) for group in groups):
            notes_of(role, loaded)
    if not loaded.setting.secrets_generate:
        for host in loaded.hosts:
            for role in roles_of(host):
                plan_of(role)(loaded, host)


def _check_once() -> None:
    """Check the environment unless that was done: inputs that were sound in the last run can wait so long."""
    if not Run.current.checked:
        refuse(_check_environment, Run.current.environment, True)


def _get_ready(state: Any | None) -> None:
    """What needs no host: the checks, and plans of what all hosts will be asked."""
    _check_once()
    if state and not state.limit_hosts:
        for _ in Run.current.foresee([host.name for host in state.inventory]):
            gevent.sleep(YIELD_SECONDS)


def _beside(connect_all: Callable[[Any], None], state: Any, work: Callable[[], None]) -> None:
    """Do some work while hosts are connected to; errors of the connections come after it."""
    failed: list[BaseException] = []

    def connect() -> None:
        try:
            connect_all(state)
        except BaseException as error:
            failed.append(error)

    connecting = gevent.spawn(connect)
    gevent.sleep(YIELD_SECONDS)
    work()
    connecting.join()
    if failed:
        raise failed[0]


def _reporting(handle_commands: Callable[..., Any]) -> Callable[..., Any]:
    """Where a deploy only tells something, tell it once all hosts were asked, and end there."""

    def handle(*arguments: Any, **rest: Any) -> Any:
        done = handle_commands(*arguments, **rest)
        run = begun()
        if run and run.report is None and run.environment.setting.plan:
            run.report = apply.write
        if run and run.report:
            raise SystemExit(refuse(run.report, run))
        return done

    return handle


def _naming_the_unreachable(connect_all: Callable[[Any], None]) -> Callable[[Any], None]:
    def connect(state: Any) -> None:
        refuse(inputs.check_keys, state)
        progress.show(state)
        if click.get_current_context().params["dry"]:
            state.check_for_changes = True  # which -y switches off, and --dry with -y would show nothing
        deploys = _deploys(click.get_current_context())
        try:
            _beside(connect_all, state, partial(_get_ready, state if deploys else None))
        except Exception:
            failed = sorted(host.name for host in state.failed_hosts)
            if not failed:
                raise
            die(f"no connection to {', '.join(failed)}; the reason stands above. {_way_on(failed)}")
        if deploys:
            for host in state.activated_hosts:  # none before: nothing is begun where one cannot be reached
                Run.current.expect(state, host)

    return connect


def _way_on(failed: list[str]) -> str:
    """What can be done about hosts without a connection; going on without them only where it is allowed."""
    try:
        reach.check_quorum(Run.current.environment, Run.current.left_out | set(failed))
    except (OperatorError, AttributeError):
        return "Mend it, and run this again"
    return f"Mend it, or go on without: --data without={','.join(sorted({*failed, *Run.current.left_out}))}"
