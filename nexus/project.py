"""The files of the project that this library serves: roles, runbooks, templates, group data, inventories.

A checkout that contains the library is its own project. An installed library serves the working directory of the
process, unless a `config.py` names another one.
"""

from pathlib import Path

LIBRARY = Path(__file__).resolve().parent
FOLDERS = ("roles", "runbooks")  # in a project, with one folder for each role and runbook
_root = LIBRARY.parent if (LIBRARY.parent / "config.py").is_file() else Path.cwd()


def root() -> Path:
    """Return the project's top directory."""
    return _root


def serve(directory: Path) -> None:
    """Serve the project in this directory from now on."""
    global _root
    _root = directory.resolve()


def source(module: str) -> Path:
    """Return the file of a module of the library or the project, by its dotted name. Imports nothing."""
    first, *rest = module.split(".")
    above = LIBRARY if first == LIBRARY.name else _root / first
    return above.joinpath(*rest).with_suffix(".py")


def settings_files() -> list[Path]:
    """Return the files that define settings: `defaults.py` of the library's packages, of roles and of runbooks."""
    inside = [*LIBRARY.glob("*/defaults.py"), *LIBRARY.glob("*/*/defaults.py")]
    return sorted([*inside, *(path for folder in FOLDERS for path in (_root / folder).glob("*/defaults.py"))])
