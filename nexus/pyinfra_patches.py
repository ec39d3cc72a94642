"""Every name of pyinfra and gevent that the library replaces, and the reason. No other file replaces any.

A test per entry (tests/library/test_pyinfra_patches.py) fails as soon as pyinfra no longer needs it.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, NamedTuple

VERSION = "3.10"  # of pyinfra, for which all patches were written


@dataclass(frozen=True)
class Patch:
    """One replaced name. `why` says what stock pyinfra does that we cannot use."""

    module: str
    name: str
    why: str


CLI = "pyinfra_cli.cli"
PATCHES = {
    "inventory": Patch(CLI, "make_inventory", "opens a directory as a file; calls nothing between data and hosts"),
    "connect": Patch(CLI, "connect_all", "does not say how to continue without a host; nothing runs meanwhile"),
    "commands": Patch(CLI, "_handle_commands", "calls nothing between the preparation of a run and its changes"),
    "run": Patch(CLI, "run_ops", "calls nothing around the operations, where lock and record must be"),
    "error": Patch(CLI, "WrappedError", "shows an operator's mistake with a traceback"),
    "unexpected": Patch(CLI, "UnexpectedInternalError", "shows a mistake in an inventory with a traceback"),
    "results": Patch(CLI, "print_results", "prints a table of operations; each had its line when it ended"),
    "fail prompt": Patch(CLI, "_set_fail_prompts", "asks whether to continue with fewer hosts"),
    "stack": Patch("pyinfra.api.util", "stack", "reads the source of 25 frames for each operation: 0.4 s of a run"),
    "frame": Patch("pyinfra.api.util", "getframeinfo", "the same"),
    "ssh": Patch("pyinfra.connectors.ssh", "SSHClient", "reads ssh's configuration by paramiko, which often fails"),
    "alias": Patch("pyinfra_cli.inventory", "_get_ssh_alias", "the same"),
}


def replace(key: str, make: Callable[[Any], Any]) -> None:
    """Replace a name by what `make(the original)` returns."""
    patch = PATCHES[key]
    module = importlib.import_module(patch.module)
    setattr(module, patch.name, make(getattr(module, patch.name)))


class Place(NamedTuple):
    """The part of `inspect.Traceback` that pyinfra reads."""

    filename: str
    lineno: int


def install_frames() -> None:
    """Give pyinfra our `stack` and `place` instead of those of `inspect`.

    pyinfra derives an operation's order from the files and lines of its frames, and uses nothing else of them.
    `inspect` also reads lines of source, and searches all loaded modules for the module of each frame, which a deploy
    file does not have: 2.5 ms for each operation and host, 0.4 s of a run that changes something.
    """
    replace("stack", lambda _: stack)
    replace("frame", lambda _: place)


def stack() -> list[tuple[FrameType]]:
    """Frames from the caller outwards, each first in its entry as in `inspect.stack`."""
    found, frame = [], sys._getframe(1)
    while frame:
        found.append((frame,))
        frame = frame.f_back  # type: ignore[assignment]
    return found


def place(frame: FrameType) -> Place:
    """File and line of a frame."""
    return Place(frame.f_code.co_filename, frame.f_lineno)


def identity(operation: Any) -> str:
    """pyinfra's key for an operation that was just added; pyinfra has no public name for it."""
    found: str = operation._hash
    return found


@contextmanager
def importing_without_gevent() -> Iterator[None]:
    """Import pyinfra's command line without letting it patch this process, which is not a run of pyinfra."""
    from gevent import monkey

    patch_all = monkey.patch_all
    monkey.patch_all = lambda *_, **__: None
    try:
        yield
    finally:
        monkey.patch_all = patch_all
