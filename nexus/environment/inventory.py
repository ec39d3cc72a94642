"""Environments as the project's inventories and group data describe them.

They are read by pyinfra's own rules, so that a plan sees exactly the data that a deploy would see.
"""

import os
import traceback
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nexus import project
from nexus.environment import deploy_declaration, settings
from nexus.environment.environment import Environment, Host
from nexus.environment.settings import Settings
from nexus.error import OperatorError, nearest, split
from nexus.pyinfra_patches import importing_without_gevent
from nexus.secrets.store import Secrets
from nexus.workstation import at_home


def file_of(name: str) -> Path:
    """The inventory file of an environment; OperatorError lists the known environments."""
    path = project.root() / "inventory" / f"{name}.py"
    if not path.is_file():
        known = sorted(file.stem for file in (project.root() / "inventory").glob("[!_]*.py"))
        raise OperatorError(
            f'unknown environment "{name}"{nearest(name, known)}\n'
            f"Known: {', '.join(known)}. An environment is a file inventory/NAME.py"
        )
    return path


def load(name: str, data: Mapping[str, Any] | None = None, without: str = "") -> Environment:
    """The environment of this name, without a run: for tests and tools. `data` are settings, as `--data` gives them."""
    return environment_of(name, read(file_of(name), data), without)


def read(path: Path, data: Mapping[str, Any] | None = None) -> Any:
    """The inventory in a file, as pyinfra loads it."""
    from pyinfra.api.state import State
    from pyinfra.context import ctx_state

    with importing_without_gevent():
        from pyinfra_cli.inventory import make_inventory
        from pyinfra_cli.util import PYTHON_CODES
    PYTHON_CODES.clear()  # by path: a file that was changed since would be the former one
    with ctx_state.use(State()), naming_the_line():
        return make_inventory(str(path), override_data=dict(data or {}), cwd=str(project.root()))


@contextmanager
def naming_the_line() -> Iterator[None]:
    """Turn errors in an inventory or group data into OperatorError with file and line."""
    with importing_without_gevent():
        from pyinfra_cli.exceptions import UnexpectedExternalError
    try:
        yield
    except SyntaxError as error:
        raise OperatorError(f"{short(error.filename)}:{error.lineno}: this is not valid Python: {error.msg}") from None
    except UnexpectedExternalError as error:
        cause = error.exception
        frames = traceback.extract_tb(cause.__traceback__)
        line = next((frame.lineno for frame in reversed(frames) if frame.filename == error.filename), 0)
        place = f"{short(error.filename)}:{line}"
        raise OperatorError(f"{place}: this line failed: {type(cause).__name__}: {cause}") from None


def short(path: str | Path | None) -> str:
    """A path relative to the working directory, if it is below it."""
    given = Path(path or "?")
    return str(given.relative_to(Path.cwd())) if given.is_relative_to(Path.cwd()) else str(given)


def environment_of(
    name: str,
    inventory: Any,
    without: str = "",
    prune_data: bool = False,
    offered: Collection[str] = deploy_declaration.EVERYWHERE,
) -> Environment:
    """The environment of an inventory that pyinfra loaded: settings checked, secrets decrypted.

    `without` and `prune_data` are arguments of the run; `offered` are the names of all arguments that it takes.
    """
    hosts, setting = hosts_of(name, inventory, offered)
    left_out = _left_out(name, without, [host.name for host in hosts])
    return Environment(name, hosts, setting, _secrets(name, setting), left_out=left_out, prune_data=prune_data)


def hosts_of(
    name: str, inventory: Any, offered: Collection[str] = deploy_declaration.EVERYWHERE
) -> tuple[tuple[Host, ...], Settings]:
    """The hosts of an inventory with their settings, and the settings that all hosts share.

    OperatorError lists everything that is wrong with the settings.
    """
    overrides = inventory.get_override_data()
    where = f"inventory/{name}.py"
    complaints = settings.check(overrides, "--data", offered)
    for group, values in [("all", inventory.get_data()), *inventory.group_data.items()]:
        complaints += settings.check(values, f"group_data/{group}.py")
    hosts = []
    for found in inventory:
        own = inventory.get_host_data(found.name)
        complaints += settings.check(own, f"{where}, host {found.name}")
        groups = first_groups([found], name)
        merged = _merged(inventory, ["all", *groups, name], own, overrides)
        address = merged["address"] or merged.get("ssh_hostname") or found.name
        hosts.append(Host(found.name, address, frozenset(found.groups) | {"all"}, Settings(merged)))
    if complaints:
        raise OperatorError("invalid settings:\n  " + "\n  ".join(dict.fromkeys(complaints)))
    if not hosts:
        raise OperatorError(f"{where} names no host: put at least one into a group, such as app = [...]")
    everywhere = [group for group in first_groups(inventory, name) if all(group in host.groups for host in hosts)]
    return tuple(hosts), Settings(_merged(inventory, ["all", *everywhere, name], {}, overrides))


def _left_out(name: str, without: str, known: list[str]) -> frozenset[str]:
    """The hosts that `without` names; OperatorError for a host that the environment does not have."""
    names = split(without)
    for word in names:
        if word not in known:
            raise OperatorError(
                f"without={word}: {name} has no such host{nearest(word, known)}\nIts hosts: {', '.join(known)}"
            )
    return frozenset(names)


def first_groups(inventory: Any, name: str) -> list[str]:
    """Groups of the first host, in the order in which their settings override each other."""
    first = next(iter(inventory))
    return [group for group in first.groups if group not in ("all", name)]


def _merged(inventory: Any, groups: list[str], own: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults, then groups from weak to strong, then the host's own data, then --data."""
    merged = dict(settings.defaults())
    for group in groups:
        merged.update(inventory.get_group_data(group) if group != "all" else inventory.get_data())
    return settings.coerce({**merged, **own, **overrides})


def _secrets(name: str, setting: Settings) -> Secrets:
    path = at_home(str(setting.secrets_file).format(environment=name), "secrets_file")
    identity = at_home(os.environ.get("NEXUS_AGE_IDENTITY") or str(setting.secrets_identity), "secrets_identity")
    key = project.root() / str(identity).format(environment=name)
    return Secrets(project.root() / path, key, generate=bool(setting.secrets_generate))
