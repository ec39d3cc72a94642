"""How a run is refused or stopped: what is wrong, and whether anything was changed by then."""

from collections.abc import Callable
from typing import Any, NoReturn

import click
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.state import StateStage
from pyinfra.context import ctx_state, state

from nexus import console
from nexus.error import OperatorError
from nexus.run.run import begun


def exit_on_error(check: Callable[..., Any], *arguments: Any) -> Any:
    """Run a check; show its complaint without a traceback and end with status 1."""
    try:
        return check(*arguments)
    except (OperatorError, ValueError) as error:
        die(str(error))
    except OSError as error:
        die(in_words(error))


def die(message: str) -> NoReturn:
    """End with status 1 and a message of what is wrong, where, and what to do."""
    _say(message)
    raise SystemExit(1)


def in_words(error: OSError) -> str:
    """What this machine refused, such as a full disk, and where."""
    return f"{error.filename}: {error.strerror} (on this machine)" if error.filename else f"{error}"


def _say(message: str) -> None:
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(message, err=True)
    console.record(f"error: {message}")
    if not ctx_state.isset() or state.current_stage < StateStage.Execute or not _began():
        click.echo("Nothing was changed on any host.", err=True)


def _began() -> bool:
    """Whether the run got as far as changing anything."""
    run = begun()
    return run is not None and run.outcome.touched


class _Printed(click.ClickException):
    """An error that the operator has read already: before the closing line of the run."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        _say(message)

    def show(self, file: Any = None) -> None:
        """Print nothing more."""


def as_operator_error(
    original: Callable[[Exception], click.ClickException],
) -> Callable[[Exception], click.ClickException]:
    """Show an operator's error as it is; everything else as pyinfra does."""

    def wrap(error: Exception) -> click.ClickException:
        if isinstance(error, OperatorError):
            return _Printed(str(error))
        if isinstance(error, OSError) and error.filename:
            return _Printed(in_words(error))
        if type(error) is PyinfraError and ctx_state.isset() and state.initialised and state.failed_hosts:
            names = ", ".join(sorted(host.name for host in state.failed_hosts))
            console.repeat_errors()
            return _Printed(f"Stopped: {names} failed (see the error above). Fix it and rerun.")
        return original(error)

    return wrap
