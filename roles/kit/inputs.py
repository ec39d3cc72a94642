"""What an operator can get wrong in words, inventory and keys, told before any host is connected to.

Only the form is looked at here: settings.py knows the settings, the catalogue checks itself.
"""

from __future__ import annotations

import hashlib
import os
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pyinfra.api.exceptions import PyinfraError
from pyinfra.connectors.ssh_util import get_private_key
from pyinfra_cli.exceptions import UnexpectedExternalError
from pyinfra_cli.util import exec_file

from roles.image.checkout import source
from roles.kit import settings
from roles.kit.environment import Environment
from roles.kit.error import OperatorError, nearest
from roles.plans import GROUPS

FOLDERS = ("roles", "templates", "group_data", "inventory")  # whatever is planned is made from


def check_data(words: Iterable[str]) -> None:
    """Refuse a `--data` that has no value."""
    for word in words:
        if "=" not in word:
            raise OperatorError(f"--data {word} has no value: write --data {word}=VALUE")


def load_inventory(make_inventory: Callable[..., Any], path: Path, rest: Mapping[str, Any]) -> Any:
    """The inventory of a file, by pyinfra's own code.

    Raises OperatorError with file and line where the inventory or group data is no Python that runs, and
    names groups that pyinfra would pass over with a warning: their hosts would silently be left alone.
    """
    try:
        complaints = list(_group_complaints(exec_file(str(path), return_locals=True)))
        if complaints:
            raise OperatorError(f"{_short(path)} is wrong:\n  " + "\n  ".join(complaints))
        return make_inventory(str(path), **rest)
    except SyntaxError as error:
        place = f"{_short(error.filename)}:{error.lineno}"
        raise OperatorError(f"{place}: this is no valid Python: {error.msg}") from None
    except UnexpectedExternalError as error:
        cause = error.exception
        frames = traceback.extract_tb(cause.__traceback__)
        line = next((frame.lineno for frame in reversed(frames) if frame.filename == error.filename), 0)
        place = f"{_short(error.filename)}:{line}"
        raise OperatorError(f"{place}: this line cannot be run: {type(cause).__name__}: {cause}") from None


def fingerprint(env: Environment) -> str:
    """Stands for all that the check of an environment looks at; empty where it looks at more, as a checkout.

    Inputs that were found sound once are checked again while hosts are connected to, not before: 0.1 s.
    """
    if source(env):
        return ""
    known = settings.defaults()
    own = [{name: each[name] for name in known} for each in (env.setting, *(host.setting for host in env.hosts))]
    found = hashlib.sha256(repr(own).encode())
    files = [entry for folder in FOLDERS for entry in _files(env.root / folder)]
    for path in [*sorted(files), str(env.secrets.path), str(env.secrets.identity)]:
        with suppress(OSError):
            about = os.stat(path)
            found.update(f"{path} {about.st_size} {about.st_mtime_ns}\n".encode())
    return found.hexdigest()


def _files(folder: Path) -> Iterator[str]:
    """Paths of all files below a folder but those that Python compiles; pathlib takes three times as long."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (f"{place}/{name}" for name in names)


def check_keys(state: Any) -> None:
    """Read the SSH keys of all hosts of a run, each once; OperatorError names those that cannot be."""
    complaints: dict[str, list[str]] = defaultdict(list)
    for host in state.inventory:
        key = host.data.get("ssh_key")
        if not key or not state.is_host_in_limit(host):
            continue
        try:
            get_private_key(state, key, host.data.get("ssh_key_password"))
        except (PyinfraError, OSError) as error:
            complaints[str(error)].append(host.name)
        except EOFError:
            complaints[f"{key} is encrypted and there is no terminal to ask for its password on"].append(
                host.name
            )
    if complaints:
        lines = [f"{reason} (ssh_key of {', '.join(names)})" for reason, names in complaints.items()]
        raise OperatorError(
            "no connection without a key:\n  " + "\n  ".join(lines) + "\nSet ssh_key in the inventory to the "
            "right file, or make the hosts that are to be made: pyinfra @local deploys/provision.py"
        )


def _group_complaints(names: Mapping[str, Any]) -> Iterator[str]:
    known = {group for groups in GROUPS.values() for group in groups}
    for name, value in names.items():
        if name.startswith("_"):
            continue
        members = value
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], dict):
            members = value[0]
        if not isinstance(members, list):
            if name in known or isinstance(value, tuple):
                yield f"{name} = {value!r} is no group: a group is a list of hosts, [] when it has none"
            continue
        for member in members:
            if not _is_host(member):
                yield f'{name} holds {member!r}: a host is ("app1", {{"address": "192.0.2.21"}}) or "app1"'
        close = get_close_matches(name, known - names.keys(), n=1, cutoff=0.75)
        if name not in known and close:
            yield f'no role knows the group "{name}"{nearest(name, close)}'


def _is_host(member: Any) -> bool:
    if isinstance(member, tuple):
        return len(member) == 2 and isinstance(member[0], str) and isinstance(member[1], dict)
    return isinstance(member, str)


def _short(path: str | Path | None) -> str:
    """A path as seen from where pyinfra was started, if it lies below."""
    given = Path(path or "?")
    return str(given.relative_to(os.getcwd())) if given.is_relative_to(os.getcwd()) else str(given)
