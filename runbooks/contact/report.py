"""The report of a first contact: what each host is, and why it is refused."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nexus.environment.environment import Host
from nexus.provider.ssh.refusal import GIB
from nexus.provider.ssh.way import Seen
from nexus.transport.ssh_config import Target


@dataclass
class Contact:
    """What is known of one host. `wrong` lists the reasons why no run can work there."""

    host: Host
    way: Target | None = None
    pinned: str = ""  # why its key was trusted just now
    seen: Seen | None = None
    wrong: list[str] = field(default_factory=list)


def lines(found: Iterable[Contact]) -> Iterator[str]:
    """A line for each host, and one for each reason to refuse it."""
    for contact in found:
        yield f"{contact.host.name}: {'; '.join(_parts(contact))}"
        yield from (f"  refused: {contact.host.name} {reason}" for reason in contact.wrong)


def _parts(contact: Contact) -> Iterator[str]:
    if way := contact.way:
        through = f" through {', '.join(way.jumps)}" if way.jumps else ""
        by = " by ProxyCommand" if way.command else ""
        port = f":{way.port}" if way.port not in (0, 22) else ""
        yield f"{way.user or 'the operator'} at {way.hostname}{port}{through}{by}"
    if contact.pinned:
        yield f"host key written, {contact.pinned}"
    if seen := contact.seen:
        facts = seen.facts
        yield seen.sudo
        python = ".".join(map(str, facts.python)) or "missing"
        yield f"{facts.title or 'unknown system'}, {facts.architecture}, Python {python}"
        free = "" if facts.free_bytes is None else f", {facts.free_bytes / GIB:.0f} GiB free"
        yield f"{facts.cpus} cores, {facts.memory_bytes / GIB:.3g} GiB of memory{free}, MTU {facts.mtu or 'unknown'}"
        yield f"clock {round(seen.ahead):+d} s"
        yield "has been deployed to" if facts.managed else "new"
    if not contact.wrong:
        yield "ready"
