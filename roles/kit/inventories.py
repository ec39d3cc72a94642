"""Environments as the project's inventories and group data describe them.

Read through pyinfra's own rules, so that a plan sees exactly the data that a deploy would see.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from roles.kit import settings
from roles.kit.environment import ROOT, Environment, Host
from roles.kit.error import OperatorError, nearest
from roles.kit.secrets import Secrets
from roles.kit.settings import Settings


def file_of(name: str) -> Path:
    """The inventory of an environment; raises OperatorError naming those there are."""
    path = ROOT / "inventory" / f"{name}.py"
    if not path.is_file():
        known = sorted(file.stem for file in (ROOT / "inventory").glob("[!_]*.py"))
        raise OperatorError(
            f'unknown environment "{name}"{nearest(name, known)}\n'
            f"Known: {', '.join(known)}. An environment is a file inventory/NAME.py"
        )
    return path


def load(name: str, data: Mapping[str, Any] | None = None) -> Environment:
    """The environment of this name, without a run: for tests and tools. `data` is what `--data` would give."""
    from gevent import monkey
    from pyinfra.api.state import State
    from pyinfra.context import ctx_state

    patch_all = monkey.patch_all
    monkey.patch_all = lambda *_, **__: None  # importing pyinfra's command line would patch the whole process
    try:
        from pyinfra_cli.inventory import make_inventory
    finally:
        monkey.patch_all = patch_all
    path = file_of(name)
    with ctx_state.use(State()):
        inventory = make_inventory(str(path), override_data=dict(data or {}), cwd=str(ROOT))
    return environment_of(name, inventory)


def environment_of(name: str, inventory: Any) -> Environment:
    """The environment of an inventory that pyinfra loaded: settings checked, secrets open.

    Raises OperatorError that names everything that is wrong with the settings.
    """
    overrides = inventory.get_override_data()
    where = f"inventory/{name}.py"
    complaints = settings.check(overrides, "--data")
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
        raise OperatorError("settings are wrong:\n  " + "\n  ".join(dict.fromkeys(complaints)))
    if not hosts:
        raise OperatorError(f"{where} names no host: put at least one into a group, such as app = [...]")
    everywhere = [
        group for group in first_groups(inventory, name) if all(group in host.groups for host in hosts)
    ]
    setting = Settings(_merged(inventory, ["all", *everywhere, name], {}, overrides))
    known = [host.name for host in hosts]
    for left_out in filter(None, str(setting.without).replace(" ", "").split(",")):
        if left_out not in known:
            raise OperatorError(
                f"without={left_out}: {name} has no such host{nearest(left_out, known)}\n"
                f"Its hosts: {', '.join(known)}"
            )
    return Environment(name, tuple(hosts), setting, _secrets(name, setting))


def first_groups(inventory: Any, name: str) -> list[str]:
    """Groups of the first host, in the order in which their settings override each other."""
    first = next(iter(inventory))
    return [group for group in first.groups if group not in ("all", name)]


def _merged(
    inventory: Any, groups: list[str], own: Mapping[str, Any], overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """Defaults, then groups from weak to strong, then the host's own data, then --data."""
    merged = dict(settings.defaults())
    for group in groups:
        merged.update(inventory.get_group_data(group) if group != "all" else inventory.get_data())
    return settings.coerce({**merged, **own, **overrides})


def _secrets(name: str, setting: Settings) -> Secrets:
    path = Path(str(setting.secrets_file).format(environment=name)).expanduser()
    identity = Path(os.environ.get("NEXUS_AGE_IDENTITY") or str(setting.secrets_identity)).expanduser()
    key = ROOT / str(identity).format(environment=name)
    return Secrets(ROOT / path, key, generate=bool(setting.secrets_generate))
