"""What a run prints, and its log file.

A terminal shows what an operator has to read: a line for each step, notes, errors. The log file holds every line:
changes item by item, commands, files, pyinfra's own lines. With -v the terminal shows every line as well.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from pathlib import Path

import click
from pyinfra import logger

from nexus import project

DIRECTORY = Path("reports/runs")
KEPT = 30  # log files of an environment
FAR = 5  # an error with more lines than this below it is printed again at the end

_errors: list[str] = []
_below = 0  # lines printed since the last error
_log: _File | None = None


def say(text: str) -> None:
    """Print a line that every operator should read."""
    logger.info(text, extra={"said": True})


def detail(text: str) -> None:
    """Print a line with -v; the log file always holds it."""
    logger.info(text)


def complain(text: str, printed: bool = False) -> None:
    """Print an error, unless it was `printed`; the end of a failed run repeats it if it is far above by then."""
    global _below
    _errors.append(text)
    if not printed:
        logger.error(text)
        _below = 0


def repeat_errors() -> None:
    """Print the run's errors again, unless they are among its last lines."""
    if _errors and _below > FAR:
        logger.error("--> Errors of this run:")
        for text in _errors:
            logger.error(text)
    _errors.clear()


def install(verbose: bool) -> None:
    """Leave out lines that nobody has to read; called once pyinfra has set its output up."""

    def passes(record: logging.LogRecord) -> bool:
        global _below
        shown = verbose or record.levelno != logging.INFO or hasattr(record, "said")
        _below += shown
        return shown

    for handler in logger.handlers:
        handler.addFilter(passes)


def open_log(environment: str) -> None:
    """Write every line from now on to a new file as well; a directory that cannot be written has none."""
    global _log
    directory = project.root() / DIRECTORY
    path = directory / f"{environment}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.log"
    with suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
        for old in sorted(directory.glob(f"{environment}-*.log"))[: 1 - KEPT]:
            old.unlink(missing_ok=True)
        _log = _File(path)
        _log.setFormatter(_Plain("%(asctime)s %(message)s", "%H:%M:%S"))
        logger.addHandler(_log)


def record(text: str) -> None:
    """Write a line to the log file alone."""
    if _log:
        _log.handle(logger.makeRecord(logger.name, logging.INFO, "", 0, text, (), None))


def end(text: str) -> None:
    """Print the last line of a run, and where its log is."""
    click.echo(text, err=True)
    record(text)
    if _log:
        click.echo(f"log: {os.path.relpath(_log.baseFilename, project.root())}", err=True)


class _File(logging.FileHandler):
    """A disk that is full by now stops no run."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Lose the line."""


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The line without colours."""
        return click.unstyle(super().format(record))
