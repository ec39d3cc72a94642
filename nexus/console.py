"""The output of a run and its log file.

The terminal shows what an operator must read: a line for each operation, notes, errors. The log file holds every line:
changes item by item, commands, files, pyinfra's own lines. With -v the terminal also shows every line.
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
KEPT = 30  # number of log files kept for each environment
FAR = 5  # errors are repeated at the end if more lines than this follow them

_errors: list[str] = []
_below = 0  # lines printed since the last error
_log: _File | None = None


def say(text: str) -> None:
    """Print a line that every operator should read."""
    logger.info(text, extra={"said": True})


def detail(text: str) -> None:
    """Print a line only with -v; always write it to the log file."""
    logger.info(text)


def complain(text: str) -> None:
    """Print an error. A failed run repeats it at the end if many lines follow it."""
    global _below
    _errors.append(text)
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
    """Hide lines that an operator need not read, unless `verbose`. Call this after pyinfra has set up its output."""

    def passes(record: logging.LogRecord) -> bool:
        global _below
        shown = verbose or record.levelno != logging.INFO or hasattr(record, "said")
        _below += shown
        return shown

    for handler in logger.handlers:
        handler.addFilter(passes)


def open_log(environment: str) -> None:
    """Also write every line from now on to a new log file; without a log if the directory cannot be written."""
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


def log_name() -> str:
    """Return the name of this run's log file without its suffix; empty without a log."""
    return Path(_log.baseFilename).stem if _log else ""


def record(text: str) -> None:
    """Write a line only to the log file."""
    if _log:
        _log.handle(logger.makeRecord(logger.name, logging.INFO, "", 0, text, (), None))


def end(text: str) -> None:
    """Print the last line of a run and the path of its log file."""
    click.echo(text, err=True)
    record(text)
    if _log:
        click.echo(f"log: {os.path.relpath(_log.baseFilename, project.root())}", err=True)


class _File(logging.FileHandler):
    """The log file. A full disk does not stop the run."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Drop the line."""


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return the line without colors."""
        return click.unstyle(super().format(record))
