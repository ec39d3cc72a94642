"""What a provider of hosts answers. It is a folder of nexus/provider with a module `provider`; nothing names it."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from nexus import console
from nexus.error import OperatorError, nearest
from nexus.run.role import Roles

NONE = "ssh"  # hosts that exist already, where no folder has this name


@dataclass(frozen=True)
class Step:
    """One thing that a provider does: what, in the imperative, and the function that does it."""

    what: str
    do: Callable[[], None]


@dataclass(frozen=True)
class Plan:
    """What a provider would do: `steps` in their order, and `notes` that an operator should read before.

    `after` runs once all steps are done, also if there are none: it writes what runs need to reach the hosts.
    """

    steps: Sequence[Step]
    notes: Sequence[str] = ()
    after: Callable[[], None] = field(default=lambda: None)

    def show(self) -> None:
        """Print the notes and the steps, each with its number."""
        for note in self.notes:
            console.say(f"    {note}")
        for number, step in enumerate(self.steps, 1):
            console.say(f"    would {number}/{len(self.steps)}: {step.what}")
        if not self.steps:
            console.say("    nothing to do")

    def carry_out(self) -> None:
        """Do every step in order; the error of one ends it, and the next run begins there."""
        for number, step in enumerate(self.steps, 1):
            console.say(f"    {number}/{len(self.steps)}: {step.what}")
            step.do()
        self.after()


class Provider(Protocol):
    """The module `provider` of a provider's folder."""

    def provision(self, name: str, roles: Roles, volumes: bool) -> Plan:
        """Return what brings the hosts of an environment to its inventory. Asks, and changes nothing.

        OperatorError for what cannot or must not be done. `volumes`: data of hosts that leave may be deleted.
        """

    def destroy(self, name: str, roles: Roles, volumes: bool) -> Plan:
        """Return what removes everything of an environment. Asks, and changes nothing.

        OperatorError if it has data and `volumes` is False.
        """


def provider_of(name: str, chosen: str) -> Provider | None:
    """Return the provider that an environment has chosen; None if its hosts exist already. OperatorError if unknown."""
    here = Path(__file__).parent
    known = sorted({NONE, *(path.parent.name for path in here.glob("*/provider.py"))})
    if chosen not in known:
        raise OperatorError(
            f'group_data/{name}.py: provider "{chosen}" is not supported{nearest(chosen, known)}\n'
            f"Known: {', '.join(known)}"
        )
    if not (here / chosen / "provider.py").is_file():
        return None
    return cast(Provider, importlib.import_module(f"{__package__}.{chosen}.provider"))
