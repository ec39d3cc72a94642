"""Refuses to start pyinfra outside the project's directory. `make` runs this file to install it next to pyinfra.

pyinfra reads only the config.py of its working directory. From another directory it would run this project's deploys
without checks, lock and record. pyinfra also ends with a traceback if standard output or error is closed, so this file
replaces closed streams. It is copied and must not import the project.
"""

import contextlib
import fcntl
import os
import shlex
import sys
from pathlib import Path

NAME = "nexus_cos_place"
STARTED = "os.path.basename(sys.argv[0]) == 'pyinfra' or sys.orig_argv[1:3] == ['-m', 'pyinfra']"
LINE = f"import os, sys; ({STARTED}) and __import__('{NAME}').begin(sys.argv[1:])\n"
PARTS = ("config.py", "nexus/cli/startup.py")  # files that identify a project of this kind


def begin(words: list[str]) -> None:
    """End the process with status 1 if pyinfra must be started elsewhere or with other words."""
    _open_closed()
    with contextlib.suppress(OSError):
        if why := refusal(words, Path.cwd()):
            os.write(2, f"error: {why}\nNothing was changed on any host.\n".encode(errors="replace"))
            os._exit(1)


def _open_closed() -> None:
    """Replace closed standard streams with /dev/null."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            low = os.open(os.devnull, os.O_RDWR)
            number = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 3)  # other files may use the numbers below 3 by now
            os.close(low)
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w"))


def refusal(words: list[str], here: Path) -> str:
    """Return the reason why pyinfra cannot be started here with these words; empty if it can."""
    here = here / (_value(words, "--chdir") or "")
    named = [word for word in words if word.endswith(".py") or Path(here, word).is_dir()]
    project = next(filter(None, (_project(Path(here, word)) for word in named)), None)
    if not project:
        return ""
    if not here.samefile(project):
        own = [_within(word, here, project) for word in words if word != "--chdir" and word != _value(words, "--chdir")]
        return f"start it where its config.py is: cd {shlex.quote(str(project))} && {shlex.join(['pyinfra', *own])}"
    config = _value(words, "--config")
    if config and (here / config).resolve() != project / PARTS[0]:
        return f"--config {config} would leave out {project / PARTS[0]}, and with it checks, lock and record"
    return ""


def _project(path: Path) -> Path | None:
    """Return the directory of the project that contains a path; None if there is none."""
    path = path.resolve()
    return next((up for up in (path, *path.parents) if all((up / part).is_file() for part in PARTS)), None)


def _within(word: str, here: Path, project: Path) -> str:
    """Return a word with its path relative to the project, if it is a path."""
    with contextlib.suppress(ValueError, OSError):
        path = (here / word).resolve()
        if not word.startswith("-") and path.exists():
            return str(path.relative_to(project))
    return word


def _value(words: list[str], option: str) -> str:
    for place, word in enumerate(words):
        if word == option:
            return words[place + 1] if place + 1 < len(words) else ""
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return ""


def install(directory: Path) -> None:
    """Write the files that Python reads in this directory when it starts."""
    (directory / f"{NAME}.py").write_text(Path(__file__).read_text())
    (directory / f"{NAME}.pth").write_text(LINE)


if __name__ == "__main__":
    import sysconfig

    if sys.prefix == sys.base_prefix:
        sys.exit("this installs into a virtual environment: run it with .venv/bin/python")
    install(Path(sysconfig.get_path("purelib")))
