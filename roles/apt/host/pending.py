"""Runs on a host: updates that apt would install, as `apt-get --simulate` lists them, and due reboots."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from nexus.agent.lib import run
from roles.base.host.metrics import reboot_reasons

# Inst openssl [3.5.1-1] (3.5.1-1+deb13u1 Debian-Security:13/stable-security [amd64])
LINE = re.compile(r"^Inst (?P<name>\S+) \[(?P<old>[^]]+)\] \((?P<new>\S+) (?P<origin>.*)\)")
SECURITY = re.compile(r"Debian-Security:|-security\b")
# Without a lock: what asks may run next to apt, and where it cannot write.
SIMULATE = ["apt-get", "-q", "--simulate", "-o", "Debug::NoLocking=true"]


@dataclass(frozen=True)
class Update:
    """A package that has a newer version in the package lists of the host."""

    name: str
    old: str
    new: str
    security: bool


def waiting() -> dict[str, Any]:
    """{"updates": those that wait, each as the fields of an Update, "reboot": files that tell why one is due}."""
    return {"updates": [asdict(update) for update in pending()], "reboot": reboot_reasons()}


def pending() -> list[Update]:
    """All packages that an upgrade would replace; new dependencies are not among them."""
    return list(parsed(run([*SIMULATE, "upgrade", "--with-new-pkgs"], timeout=120).splitlines()))


def parsed(lines: Iterable[str]) -> Iterator[Update]:
    """The updates in the output of apt-get."""
    for found in filter(None, map(LINE.match, lines)):
        yield Update(found["name"], found["old"], found["new"], bool(SECURITY.search(found["origin"])))


def waits(name: str, in_order: Iterable[str]) -> bool:
    """Whether a package is among these regular expressions."""
    return any(re.fullmatch(pattern, name) for pattern in in_order)
