"""What the program must know of a kind of backup: `KIND` of roles/NAME/host/backup.py."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from roles.backup.host.vault import Config, Vault

MODULES = "roles.backup.host.modules"  # lies on hosts only: MODULES, {kind: module}, as the table of roles has them
Record = dict[str, Any]
Acts = Mapping[str, tuple[tuple[str, ...], Callable[..., object]]]  # {act: (names of its arguments, function)}


@dataclass(frozen=True)
class Kind:
    """How one kind is saved, brought back and proven. `config` is that of the whole program.

    `is_saver(config)`: whether this host is the one that saves it now; RemoteError where that cannot be found out.
    `save(config, vault, type)` makes a backup of a type (empty: what is due) and returns what the record says of it.
    `prefixes` begin the keys of the bucket whose objects the program removes once they are too old.

    A kind that is kept as a file may name
    `check(record, path)`: differences between a file and its record, other than the digest, a line each;
    `check_here`: only hosts that save it have the programs that its check needs;
    `load(config, path)`, where it can be put into a server that runs: puts it there, and says what it was.

    A kind that is kept in another way names
    `prove(config, saved, found)`: restores the backup of the record `saved`, compares it, and says so in the record
    `found` of the restore test, in `proof` of which `differences` and `damaged` are lists;
    `listed(config)`: what there is of it to bring back;
    `acts`: the words of the restore program that bring it back.

    `tester(config)` names the host that makes the restore test, for a kind whose hosts have what the test needs.
    `title` is what operators call it, where it has types of backups: `types`.
    """

    is_saver: Callable[[Config], bool]
    save: Callable[[Config, Vault, str], Record]
    prefixes: tuple[str, ...]
    check: Callable[[Record, str], list[str]] = lambda record, path: []
    check_here: bool = False
    load: Callable[[Config, str], str] | None = None
    prove: Callable[[Config, Record, Record], None] | None = None
    listed: Callable[[Config], dict[str, object]] = lambda config: {}
    acts: Acts = field(default_factory=dict)
    tester: Callable[[Config], str] | None = None
    title: str = ""
    types: tuple[str, ...] = ()


def kinds() -> dict[str, Kind]:
    """Each kind by its name, also those that other hosts save."""
    modules: dict[str, str] = importlib.import_module(MODULES).MODULES
    return {name: importlib.import_module(module).KIND for name, module in modules.items()}
