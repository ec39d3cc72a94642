"""A checkout whose inventory a scenario edits, as an operator does who adds, removes or replaces hosts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from control import PROJECT, Control, Outcome, copy_of_project

from nexus.provider import lab

STORES = ("etcd", "postgresql", "redis", "rabbitmq")


class Edited:
    """A separate checkout, whose inventory the test edits."""

    def __init__(self, control: Control, directory: Path) -> None:
        project = copy_of_project(directory / "checkout", environment=control.name)
        self.control, self.access = Control(control.name, project), project / ".lab"
        self.inventory = project / "inventory" / f"{control.name}.py"
        self.before = self.inventory.read_text()

    def hosts(self, *names: str, stores: Sequence[str] = STORES) -> None:
        """Put these stores on these hosts."""
        text = self.before
        for store in stores:
            line = f"{store} = [{', '.join(repr(name) for name in names)}]"
            text, count = re.subn(rf"^{store} = \[[^]]*\]", line, text, flags=re.MULTILINE)
            assert count == 1, store
        self.inventory.write_text(text)

    def add(self, group: str, name: str, number: int) -> None:
        """Add a host to a group, by the last number of its address: one edit of one line."""
        line = next(line for line in self.before.splitlines() if line.startswith(f"{group} = ["))
        address = f"{self.control.lab.hosts[0].address.rpartition('.')[0]}.{number}"
        longer = f'{line.removesuffix("]")}, _host("{name}", "{address}")]'
        self.inventory.write_text(self.before.replace(line, longer))
        self.up()

    def replace(self, name: str, other: str) -> None:
        """Replace a lost host with a bare one that has another name and address."""
        address = self.control.lab.host(name).address
        fresh = f"{address.rpartition('.')[0]}.{int(address.rpartition('.')[2]) + 5}"
        self.inventory.write_text(self.before.replace(f'"{name}"', f'"{other}"').replace(f'"{address}"', f'"{fresh}"'))
        self.up()

    def back(self) -> None:
        """Restore the inventory and its hosts: new hosts are bare."""
        self.inventory.write_text(self.before)
        self.up()

    def up(self) -> None:
        """Start the lab's hosts of the current inventory, and write their access files."""
        lab.up(lab.load(str(self.inventory)))
        shutil.copytree(PROJECT / ".lab", self.access, dirs_exist_ok=True)

    def run(self, **data: Any) -> Outcome:
        """One run of both layers with these settings, which must succeed."""
        done = self.control.run("deploys/data.py", deploy="deploys/base.py", data=data)
        assert done.status == 0, done.end
        return done
