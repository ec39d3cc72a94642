"""What happens around a run of pyinfra in this project: checks before it, a summary after it.

`pyinfra inventory deploys/full.py` names a directory, which pyinfra itself cannot open: it stands for
the environment in NEXUS_ENV. Whatever an operator can get wrong is refused here, before any host is
connected to. The few names of pyinfra's command line that are replaced are listed in `begin`.
"""

from __future__ import annotations

import fcntl
import os
import sys
import tempfile
import time
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NoReturn

import click
from pyinfra.context import config

from roles.kit import environment
from roles.kit.error import OperatorError
from roles.kit.run import Run
from roles.kit.summary import summarise

READ_ONLY = ("debug-inventory", "fact")
QUORUM_GROUPS = ("postgresql", "redis", "rabbitmq", "mongodb")


def begin() -> None:
    """Set pyinfra up for this project; called by config.py."""
    from pyinfra_cli import cli

    context = click.get_current_context()
    config.SUDO = True
    config.FAIL_PERCENT = 0  # a host that fails stops the run: half an environment is worse than none
    config.CONNECT_TIMEOUT = 15
    if str(context.params["inventory"]).startswith("@"):
        config.SUDO = os.geteuid() != 0
        _refuse(_check_terminal, context)
        return
    original = cli.make_inventory
    cli.make_inventory = lambda inventory, **rest: _refuse(_load, context, original, inventory, rest)
    cli.connect_all = _naming_the_unreachable(cli.connect_all)
    cli.WrappedError = _plainly(cli.WrappedError)
    cli._set_fail_prompts = lambda *_: None  # never asked whether to go on with fewer hosts
    _refuse(_check_terminal, context)


def _refuse(check: Callable[..., Any], *arguments: Any) -> Any:
    """Run a check; show its complaint without a traceback and end with status 1."""
    try:
        return check(*arguments)
    except (OperatorError, ValueError) as error:
        _die(str(error))


def _die(message: str) -> NoReturn:
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(f"{message}\nNothing was changed on any host.", err=True)
    raise SystemExit(1)


def _plainly(
    original: Callable[[Exception], click.ClickException],
) -> Callable[[Exception], click.ClickException]:
    """Show an operator's error as it is; everything else as pyinfra does."""

    def wrap(error: Exception) -> click.ClickException:
        return click.ClickException(str(error)) if isinstance(error, OperatorError) else original(error)

    return wrap


def _check_terminal(context: click.Context) -> None:
    given = context.params
    asks = not (given["yes"] or given["dry"] or given["operations"][0] in READ_ONLY)
    if asks and not sys.stdin.isatty():
        raise OperatorError(
            "no terminal to confirm the changes on: add -y to make them, or --dry to see them"
        )


def _load(context: click.Context, original: Callable[..., Any], inventory: str, rest: dict[str, Any]) -> Any:
    """Load the inventory with pyinfra's own code, and the environment that plans are made from."""
    path = Path(inventory)
    if path.is_dir():
        path = environment.inventory_file(os.environ.get("NEXUS_ENV", "lab"))
    elif not path.is_file() and (inventory.endswith(".py") or "/" in inventory):
        environment.inventory_file(path.stem)
        raise OperatorError(f"{inventory} is not there; environments lie in inventory/")
    elif not path.is_file():
        return original(inventory, **rest)
    found = original(str(path), **rest)
    loaded = environment.from_inventory(path.stem, found)
    left_out = _left_out(loaded, found)
    _check_limit(context, found)
    if context.params["operations"][0] not in READ_ONLY and not context.params["dry"]:
        context.call_on_close(_lock(loaded.name).close)
    Run.current = Run(loaded, left_out)
    _check_environment(loaded)
    context.call_on_close(lambda: summarise(Run.current))
    return found


def _check_environment(loaded: environment.Environment) -> None:
    """Everything that is wrong can be known before a host is asked."""
    _ = loaded.catalogue
    if loaded.setting.ca_file:
        certificate = loaded.tls.certificate
        target = environment.ROOT / str(loaded.setting.ca_file)
        if not target.exists() or target.read_text() != certificate:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(certificate)


def _left_out(loaded: environment.Environment, inventory: Any) -> frozenset[str]:
    """Take the hosts of `--data without=` out of this run, unless a quorum would be lost with them."""
    names = frozenset(name for name in str(loaded.setting.without).replace(" ", "").split(",") if name)
    managers = [host.name for host in loaded.group("app")][:3]
    quorums = {"swarm managers": managers if len(managers) == 3 else managers[:1]}
    quorums |= {group: [host.name for host in loaded.group(group)] for group in QUORUM_GROUPS}
    for what, members in quorums.items():
        left = [name for name in members if name not in names]
        if members and len(left) * 2 <= len(members):
            raise OperatorError(
                f"without={','.join(sorted(names))} leaves {len(left)} of {len(members)} {what} "
                f"({', '.join(members)}): that is no quorum. Bring one of them back first"
            )
    for name in names:
        host = inventory.hosts.pop(name)
        for members in inventory.groups.values():
            if host in members:
                members.remove(host)
    return names


def _check_limit(context: click.Context, inventory: Any) -> None:
    for pattern in context.params["limit"] or ():
        names = [host.name for host in inventory]
        if pattern not in inventory.groups and not any(fnmatch(name, pattern) for name in names):
            raise OperatorError(f'--limit "{pattern}" matches no host and no group of {", ".join(names)}')


def _lock(name: str) -> Any:
    """Hold the environment for this run; a second run on this machine is told who has it."""
    path = Path(tempfile.gettempdir()) / f"nexus-cos-{os.getuid()}-{name}.lock"
    stream = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")  # noqa: SIM115 - held for the whole run
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = stream.read().strip() or "another run"
        raise OperatorError(f"{name} is being changed by {holder}: wait for its end, or end it") from None
    stream.truncate(0)
    stream.write(
        f"process {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}: {' '.join(sys.argv[1:])}"
    )
    stream.flush()
    return stream


def _naming_the_unreachable(connect_all: Callable[[Any], None]) -> Callable[[Any], None]:
    def connect(state: Any) -> None:
        try:
            connect_all(state)
        except Exception:
            failed = ", ".join(sorted(host.name for host in state.failed_hosts))
            if not failed:
                raise
            _die(
                f"no connection to {failed}; the reason stands above. Mend it, or go on without by "
                f"--data without={failed.replace(' ', '')}"
            )

    return connect
