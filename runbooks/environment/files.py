"""The files of an environment: what the command writes, and what it removes."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from nexus import project
from nexus.error import OperatorError
from nexus.provider import lab
from nexus.provider.lab.environment import LabEnvironment
from nexus.workstation import write_whole


def paths(name: str) -> list[Path]:
    """Files of an environment without its secrets, relative to the project."""
    return [Path(f"inventory/{name}.py"), Path(f"group_data/{name}.py"), Path(f"inventory/{name}.known_hosts")]


def secrets(name: str) -> list[Path]:
    """Files with an environment's secrets and who reads them."""
    return [Path(f"group_data/secrets/{name}.{ending}") for ending in ("age", "recipients")]


def write(texts: Mapping[Path, str], replace: bool) -> Iterator[str]:
    """Write files that do not exist; yield a line for each. A file with another text is replaced only if asked."""
    other = [str(path) for path, text in texts.items() if (project.root() / path).is_file() and not _same(path, text)]
    if other and not replace:
        raise OperatorError(
            f"{', '.join(other)}: exists and differs from what would be written. Keep it, remove it with "
            "`make environment-remove`, or add REPLACE=yes"
        )
    for path, text in texts.items():
        if _same(path, text):
            yield f"{path} is as it would be written"
        else:
            write_whole(project.root() / path, text)
            yield f"{path} written"


def remove(name: str, with_secrets: bool) -> Iterator[str]:
    """Remove an environment's files; OperatorError if there are none, or while hosts of the lab are up."""
    found = [path for path in paths(name) if (project.root() / path).is_file()]
    kept = [path for path in secrets(name) if (project.root() / path).is_file()]
    if not found and not (with_secrets and kept):
        raise OperatorError(f"environment {name} does not exist: no inventory/{name}.py, no group_data/{name}.py")
    if (project.root() / f"inventory/{name}.py").is_file():
        _check_lab(lab.load(name))
    for path in [*found, *(kept if with_secrets else [])]:
        (project.root() / path).unlink()
        yield f"{path} removed"
    if kept and not with_secrets:
        yield f"kept: {', '.join(map(str, kept))}; SECRETS=yes removes them, and backups cannot be read without them"


def _check_lab(environment: LabEnvironment) -> None:
    if environment.provider == "lab" and environment.directory.exists():
        raise OperatorError(
            f"hosts of {environment.name} exist on this machine ({environment.directory}): remove them first, with "
            "`.venv/bin/python -m nexus.provider.lab down {environment.name}`"
        )


def _same(path: Path, text: str) -> bool:
    file = project.root() / path
    return file.is_file() and file.read_text() == text
