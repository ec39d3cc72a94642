"""Options of the tests on hosts, and default signal handling for every run that a test starts."""

from __future__ import annotations

import signal

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--lab` lets scenarios bring the lab up, `--full` includes long tests, `--points` selects part of one series."""
    group = parser.getgroup("nexus-cos")
    group.addoption("--lab", action="store_true", help="bring up the lab and deploy to it where it is not up")
    group.addoption("--data", action="append", default=[], help="KEY=VALUE as the hosts were deployed with, repeatable")
    group.addoption("--full", action="store_true", help="run the long series of the scenarios too")
    group.addoption("--seed", type=int, default=43, help="draws moments and points of scenarios, 43 where not given")
    group.addoption(
        "--quarter", type=int, help="of the long scenario files, only those of this quarter, counted on and on"
    )
    group.addoption("--points", default="", help="only these points of the series of interrupted runs, as 7-9,26")


def pytest_configure() -> None:
    """Under nohup or a script's `&` signals are ignored, and the runs that tests stop would inherit that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
