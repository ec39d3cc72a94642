"""Error output of a run that is refused or stopped: what is wrong, and whether any host was changed."""

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
    """Return `check(*arguments)`; on an error, print it without a traceback and exit with status 1."""
    try:
        return check(*arguments)
    except (OperatorError, ValueError) as error:
        die(str(error))
    except OSError as error:
        die(in_words(error))


def die(message: str) -> NoReturn:
    """Print an error message and exit with status 1."""
    _say(message)
    raise SystemExit(1)


def in_words(error: OSError) -> str:
    """Return the text of an error of this machine, such as a full disk, with the file."""
    return f"{error.filename}: {error.strerror} (on this machine)" if error.filename else f"{error}"


def _say(message: str) -> None:
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(message, err=True)
    console.record(f"error: {message}")
    if not ctx_state.isset() or state.current_stage < StateStage.Execute or not _began():
        click.echo("Nothing was changed on any host.", err=True)


def _began() -> bool:
    """Return True if the run began to change anything."""
    run = begun()
    return run is not None and run.outcome.touched


class _Printed(click.ClickException):
    """An error that is printed when it is created, so that it appears before the run's closing line."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        _say(message)

    def show(self, file: Any = None) -> None:
        """Print nothing: the error was printed before."""


def as_operator_error(
    original: Callable[[Exception], click.ClickException],
) -> Callable[[Exception], click.ClickException]:
    """Wrap pyinfra's error handler: print operator errors as they are, and let pyinfra handle all others."""

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
