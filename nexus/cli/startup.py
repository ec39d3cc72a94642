"""The start of a pyinfra run in this project: checks before it, a summary after it.

`pyinfra inventory deploys/full.py` names a directory, which pyinfra itself cannot open: it means the environment in
NEXUS_ENV. An operator's mistakes are refused here, before the run connects to any host. nexus/pyinfra_patches.py holds
the patches of pyinfra for this.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
import gevent
from pyinfra.api.state import StateStage
from pyinfra.context import config, ctx_state, state

from nexus import console
from nexus.cli import consent, deploy_arguments, help, host_selection, locked_run, operation_lines, validate
from nexus.cli.errors import as_operator_error, die, exit_on_error
from nexus.cli.summary import summarise
from nexus.environment import inventory as inventories
from nexus.error import OperatorError
from nexus.pyinfra_patches import install_frames, replace
from nexus.run import plan_file
from nexus.run.interruption import interruption, tell
from nexus.run.role import Roles
from nexus.run.run import LocalRun, Run, begun, current_run, start
from nexus.transport import agent_session, progress, sudo
from nexus.transport.ssh_client import install as install_client
from nexus.workstation import settle

READ_ONLY = ("debug-inventory", "fact")
WHILE = {  # stage -> what the run was doing
    StateStage.Connect: "while hosts were connected to",
    StateStage.Prepare: "while hosts were asked and the run was planned",
    StateStage.Execute: "while hosts were changed",
    StateStage.Disconnect: "after its last step",
}


def begin(roles: Roles) -> None:
    """Set up pyinfra for a project with these roles. The project's config.py calls this."""
    context = click.get_current_context()
    interruption.watch()
    context.call_on_close(_tell_interruption)
    install_frames()
    settle()
    install_client()
    if _deploys(context):
        console.install(verbose=bool(context.params["verbosity"]))
    config.SUDO = True
    config.FAIL_PERCENT = 0  # a host that fails stops the run: half an environment is worse than none
    config.CONNECT_TIMEOUT = 15
    if help.asked(context.params["data"]) and _deploys(context):
        click.echo(exit_on_error(help.manual, Path(context.params["operations"][0]), roles))
        raise SystemExit(0)
    if exit_on_error(deploy_arguments.looks, context):
        _continue_with_those_that_answer()
    replace("error", as_operator_error)
    replace("unexpected", as_operator_error)
    exit_on_error(_check_terminal, context)
    exit_on_error(validate.check_data, context.params["data"])
    if str(context.params["inventory"]).startswith("@"):
        config.SUDO = os.geteuid() != 0
        start(LocalRun(deploy_arguments.words(context)))
        return
    replace("inventory", partial(_loading, context, roles))
    replace("connect", _connecting)
    replace("commands", _reporting)
    replace("run", locked_run.around)
    replace("fail prompt", lambda _: lambda *_: None)
    gevent.get_hub().NOT_ERROR += (OperatorError,)  # without this, gevent prints a traceback as well


def _continue_with_those_that_answer() -> None:
    """Skip the confirmation and continue without hosts that do not answer, for deploys that change nothing."""
    config.FAIL_PERCENT, config.CONNECT_TIMEOUT = 100, 5
    replace("commands", lambda handle: lambda *arguments, **rest: (False, *handle(*arguments, **rest)[1:]))


def _loading(context: click.Context, roles: Roles, original: Callable[..., Any]) -> Callable[..., Any]:
    return lambda inventory, **rest: exit_on_error(_load, context, roles, original, inventory, rest)


def _tell_interruption() -> None:
    """End a run that was stopped by a signal with a report; do nothing for any other run."""
    run = begun()
    stage = state.current_stage if ctx_state.isset() else StateStage.Setup
    touched = run.outcome.touched if run else stage == StateStage.Execute
    tell(WHILE.get(stage, "before a host was connected to"), touched)


def _check_terminal(context: click.Context) -> None:
    words = context.params
    asks = not (words["yes"] or words["dry"] or words["operations"][0] in READ_ONLY or deploy_arguments.looks(context))
    if asks and not (sys.stdin and sys.stdin.isatty()):
        raise OperatorError("no terminal to confirm the changes on: add -y to make them, or --dry to see them")


def _load(
    context: click.Context, roles: Roles, original: Callable[..., Any], inventory: str, rest: dict[str, Any]
) -> Any:
    """Load the inventory with pyinfra's own code, start the run with its environment, and return the inventory."""
    path = Path(inventory)
    deploys = _deploys(context)
    if path.is_dir():
        path = inventories.file_of(os.environ.get("NEXUS_ENV") or "lab")
    elif not path.is_file() and (inventory.endswith(".py") or "/" in inventory):
        inventories.file_of(path.stem)
        raise OperatorError(f"{inventory} does not exist; environments are files in inventory/")
    elif not path.is_file() and deploys:
        raise OperatorError(
            f'"{inventory}" is not an inventory: write `pyinfra inventory ...` for the environment in NEXUS_ENV, '
            "or name one, as inventory/lab.py; --limit picks hosts of it"
        )
    elif not path.is_file():
        return original(inventory, **rest)
    offered = deploy_arguments.offered(context)
    words = deploy_arguments.taken(context, rest["override_data"], offered)
    found = validate.load_inventory(original, path, rest, roles.groups)
    prunes = deploy_arguments.prunes(words)
    loaded = inventories.environment_of(path.stem, found, words.get("without", ""), prunes, offered)
    left_out = host_selection.left_out(loaded, roles, found)
    host_selection.check_limit(context.params, found)
    deploy_arguments.check(words, offered, loaded)
    if any(host.setting[sudo.SETTING] for host in loaded.hosts):
        config.SUDO_PASSWORD = sudo.password()
    run = Run(loaded, roles, left_out, words, dry=context.params["dry"])
    start(run)
    run.hosts.observes_later = _changes_without_review(context)
    plan_file.check_words(run)
    validate.check_inputs(loaded, roles, deploys)
    if deploys and not deploy_arguments.looks(context):
        console.open_log(loaded.name)
    context.call_on_close(lambda: summarise(current_run()))
    context.call_on_close(agent_session.close_all)
    return found


def _deploys(context: click.Context) -> bool:
    """Return True if the command line runs deploys, not a fact or a command."""
    return str(context.params["operations"][0]).endswith(".py")


def _changes_without_review(context: click.Context) -> bool:
    """Return True for `-y`: no review step, so health is checked only after the changes."""
    words = context.params
    return bool(words["yes"]) and not words["dry"] and not deploy_arguments.looks(context)


def _reporting(handle_commands: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap pyinfra's preparation: print a report and exit if the run only reports; else ask before any change."""

    def handle(*arguments: Any, **rest: Any) -> Any:
        done = handle_commands(*arguments, **rest)
        run = begun()
        if run and run.report is None and run.given.get("plan"):
            run.report = plan_file.write
        if run and run.report:
            raise SystemExit(exit_on_error(run.report, run))
        if run and _deploys(click.get_current_context()) and not rest.get("json_output"):
            exit_on_error(consent.ask, run)
            return False, *done[1:]  # pyinfra need not show its own list and ask again
        return done

    return handle


def _connecting(connect_all: Callable[[Any], None]) -> Callable[[Any], None]:
    def connect(state: Any) -> None:
        exit_on_error(validate.check_keys, state)
        exit_on_error(validate.check_ways, state)
        progress.show(state)
        if click.get_current_context().params["dry"]:
            state.check_for_changes = True  # -y switches it off, and --dry with -y would then show nothing
        deploys = _deploys(click.get_current_context())
        if deploys:
            operation_lines.install(current_run(), state, bool(click.get_current_context().params["verbosity"]))
        hosts = [host.name for host in state.inventory] if deploys and not state.limit_hosts else []
        planning = [gevent.spawn(current_run().hosts.plan_ahead, hosts)] if hosts else []
        try:
            connect_all(state)
            gevent.joinall(planning, raise_error=True)
        except Exception:
            failed = sorted(host.name for host in state.failed_hosts)
            if not failed:
                raise
            die(f"no connection to {', '.join(failed)}; see the reason above. {_how_to_continue(failed)}")
        if deploys:
            for host in state.activated_hosts:  # only now: no agent starts if a host cannot be reached
                agent_session.AgentSession(state, host)

    return connect


def _how_to_continue(failed: list[str]) -> str:
    """Return how to continue if hosts cannot be reached; suggest leaving them out only if that is allowed."""
    try:
        current_run().all_roles.check_without(current_run().environment, current_run().left_out | set(failed))
    except (OperatorError, AttributeError):
        return "Fix it and rerun"
    return (
        f"Fix it and rerun, or continue without: --data without={','.join(sorted({*failed, *current_run().left_out}))}"
    )
