"""Secrets in an operator's editor, checked when the editor ends.

The clear text is in an in-memory directory that only its owner can enter. It is removed when the editor ends,
and by a guard process if this program is killed.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import yaml

from nexus.error import OperatorError
from nexus.secrets.store import Secrets

HEAD = """\
# Secrets of {name}, one per line: NAME: VALUE. Every value is text: put numbers in quotes.
# Save and quit to encrypt; quit without saving to change nothing. Stores and services take changed secrets with
# the next run of full.py, and until then no login with them works: deploys/rotate_secrets.py has no such gap.
"""
IN_MEMORY = ("tmpfs", "ramfs")
PLACES = ("XDG_RUNTIME_DIR", "/dev/shm", "/run")
GUARD = 'cat >/dev/null; rm -rf -- "$1"'


def edit(secrets: Secrets, name: str, editor: list[str]) -> list[str]:
    """Names of secrets that were added, changed or removed; the caller saves them.

    OperatorError if the editor failed, or if its result is not a list of secrets: the file is then unchanged.
    """
    with private_directory() as directory:
        path = directory / f"{name}.yaml"
        before = {known: secrets.get(known) for known in secrets.names()}
        path.touch(0o600)
        path.write_text(HEAD.format(name=name) + render(before))
        status = subprocess.run([*editor, str(path)], check=False).returncode
        if status:
            raise OperatorError(f"{editor[0]} ended with {status}: nothing was changed")
        values = parse(path.read_text(), path.name)
    changed = sorted(known for known in {*before, *values} if before.get(known) != values.get(known))
    secrets.replace(values)
    return changed


def render(values: dict[str, str]) -> str:
    """The secrets as YAML, keys and certificates over several lines."""
    return yaml.dump(values, Dumper=_Dumper, width=10_000, default_flow_style=False) if values else ""


def parse(text: str, where: str) -> dict[str, str]:
    """The secrets in the edited text. OperatorError names the line, and never a value."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise OperatorError(f"{where}:{line}: this is not valid YAML. Nothing was changed") from None
    if node is None:
        raise OperatorError(
            f"{where}: the file is empty. Nothing was changed; to create all secrets again, remove the .age file"
        )
    if not isinstance(node, yaml.MappingNode):
        raise OperatorError(f"{where}: every line must be NAME: VALUE. Nothing was changed")
    found: dict[str, str] = {}
    for key, value in node.value:
        place = f"{where}:{key.start_mark.line + 1}: {key.value}"
        if key.value in found:
            raise OperatorError(f"{place} appears twice. Nothing was changed")
        if not isinstance(value, yaml.ScalarNode) or value.tag != "tag:yaml.org,2002:str" or not value.value:
            raise OperatorError(f"{place} must have text as its value: put it in quotes. Nothing was changed")
        found[key.value] = value.value
    return found


@contextmanager
def private_directory() -> Iterator[Path]:
    """An in-memory directory that is removed with this process, however it ends."""
    parent = next((place for place in map(_place, PLACES) if place), None)
    if parent is None:
        raise OperatorError("no directory in memory for the clear text: mount a tmpfs at /dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="nexus-cos-secrets-", dir=parent))
    # The guard's standard input ends when this process does, killed or not.
    guard = subprocess.Popen(["sh", "-c", GUARD, "sh", directory], stdin=subprocess.PIPE, start_new_session=True)
    before = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)
        assert guard.stdin
        guard.stdin.close()
        guard.wait()


def _place(place: str) -> Path | None:
    """A writable directory on an in-memory file system, or None."""
    path = Path(os.environ.get(place, "") if place.isupper() else place)
    if not path.is_absolute() or not os.access(path, os.W_OK | os.X_OK):
        return None
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    below = [(len(point), kind) for point, kind in mounts if path.is_relative_to(point)]
    return path if below and max(below)[1] in IN_MEMORY else None


def _end(number: int, _: Any) -> NoReturn:
    sys.exit(128 + number)


class _Dumper(yaml.SafeDumper):
    """Writes multi-line text as it is, and everything else on one line."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)
