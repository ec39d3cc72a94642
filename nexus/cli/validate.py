"""Checks of arguments, inventory, secrets and keys, before the run connects to any host.

settings.py checks the settings, the catalogue checks itself, and each role refuses inputs that it cannot work with.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import gevent
from pyinfra.api.exceptions import PyinfraError
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.ssh_util import get_private_key
from pyinfra_cli.util import exec_file

from nexus.cli import locked_run
from nexus.environment.environment import Environment
from nexus.environment.inventory import naming_the_line, short
from nexus.error import OperatorError, nearest
from nexus.run import flow
from nexus.run.role import Roles
from nexus.transport.ssh_config import target


def check_data(words: Iterable[str]) -> None:
    """Refuse a `--data` that has no value."""
    for word in words:
        if "=" not in word:
            raise OperatorError(f"--data {word} has no value: write --data {word}=VALUE")


def load_inventory(make_inventory: Callable[..., Any], path: Path, rest: Mapping[str, Any], groups: Set[str]) -> Any:
    """Load the inventory of a file with pyinfra's own code.

    Raises OperatorError with file and line if the inventory or group data is not valid Python. Also refuses groups that
    pyinfra would skip with only a warning: nothing would be deployed on their hosts.
    """
    with naming_the_line():
        complaints = list(_group_complaints(exec_file(str(path), return_locals=True), groups))
        if complaints:
            raise OperatorError(f"{short(path)} is wrong:\n  " + "\n  ".join(complaints))
        return make_inventory(str(path), **rest)


def check_inputs(loaded: Environment, roles: Roles, deploys: bool) -> None:
    """Check all inputs of a run; OperatorError says what is wrong and where."""
    _ = loaded.services
    if deploys:
        _check_roles(loaded, roles)
    _ = loaded.tls
    if not loaded.secrets.unsaved:
        locked_run.write_ca_file(loaded)


def _check_roles(loaded: Environment, roles: Roles) -> None:
    """Let roles check the inputs without any host. If secrets must not be generated, check that none is missing."""
    flow.matrix(loaded, roles)
    for name, role in roles.items():
        if any(loaded.group(group) for group in role.groups):
            roles.notes(name, loaded)
    if not loaded.setting.secrets_generate:
        for host in loaded.hosts:
            for name in roles.of(host):
                roles.plan(name)(loaded, host)


def check_keys(state: Any) -> None:
    """Read the SSH key of each host of a run; OperatorError names the keys that cannot be read."""
    complaints: dict[str, list[str]] = defaultdict(list)
    for host in state.inventory:
        key = host.data.get("ssh_key")
        if not key or not state.is_host_in_limit(host):
            continue
        try:
            get_private_key(state, key, host.data.get("ssh_key_password"))
        except (PyinfraError, OSError, RuntimeError) as error:  # RuntimeError if ~ has no meaning
            complaints[str(error)].append(host.name)
        except EOFError:
            complaints[f"{key} is encrypted and its password can only be asked for on a terminal"].append(host.name)
    if complaints:
        lines = [f"{reason} (ssh_key of {', '.join(names)})" for reason, names in complaints.items()]
        raise OperatorError(
            "no connection without a key:\n  " + "\n  ".join(lines) + "\nSet ssh_key in the inventory to the "
            "right file, or create the hosts: pyinfra @local deploys/provision.py"
        )


def check_ways(state: Any) -> None:
    """Resolve the SSH target of each host with ssh; OperatorError with file and line if ssh cannot read its config."""
    asked = {
        (
            host.data.get("ssh_hostname") or host.name, host.data.get("ssh_config_file"),
            host.data.get("ssh_user") or "", int(host.data.get("ssh_port") or 0),
        )
        for host in state.inventory
        if isinstance(host.connector, SSHConnector) and state.is_host_in_limit(host)
    }  # fmt: skip
    gevent.joinall([gevent.spawn(target, *each) for each in asked], raise_error=True)


def _group_complaints(names: Mapping[str, Any], known: Set[str]) -> Iterator[str]:
    for name, value in names.items():
        if name.startswith("_"):
            continue
        members = value
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], dict):
            members = value[0]
        if not isinstance(members, list):
            if name in known or isinstance(value, tuple):
                yield f"{name} = {value!r} is not a group: a group is a list of hosts, [] when it has none"
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
