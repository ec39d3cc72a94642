"""An update as pure data: which hosts, in which order, what moves first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nexus.error import OperatorError
from roles.apt.host.pending import Update, waits
from roles.apt.host.state import DONE
from runbooks.update.record import Record

KERNEL = "linux-image-"
REBOOTS = ("needed", "always", "never")


@dataclass(frozen=True)
class Wish:
    """What the operator asked for: `security` updates alone or all, or these `packages`; when to `reboot`."""

    security: bool = True
    packages: tuple[str, ...] = ()
    reboot: str = "needed"

    def __str__(self) -> str:
        which = f"packages={','.join(self.packages)}" if self.packages else f"security={str(self.security).lower()}"
        return f"{which} reboot={self.reboot}"

    def takes(self, update: Update) -> bool:
        """Whether this update is wanted."""
        return update.name in self.packages if self.packages else update.security or not self.security


@dataclass(frozen=True)
class Found:
    """What a host answered: its updates, files that tell of a due reboot, and its record."""

    updates: tuple[Update, ...] = ()
    reboot: tuple[str, ...] = ()
    record: Record | None = None


@dataclass(frozen=True)
class Store:
    """A store with the hosts that can lead it and those that lead now."""

    name: str
    title: str
    members: tuple[str, ...]
    leaders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Visit:
    """What is done to one host: `why` it reboots, empty if it does not; what `moves` first, {store: who leads then}.

    `leaves`: its daemons stop, so that leaders and tasks have to be elsewhere.
    """

    host: str
    updates: tuple[Update, ...]
    why: str
    leaves: bool
    unfinished: bool = False
    moves: Mapping[str, str] = field(default_factory=dict)

    def told(self, titles: Mapping[str, str]) -> str:
        """The visit in words."""
        words = ["an earlier update stopped there"] if self.unfinished else []
        words += [f"{titles[store]} moves to {to} first" for store, to in self.moves.items()]
        words += [", ".join(f"{one.name} {one.old} -> {one.new}" for one in self.updates) or "no package"]
        words += [f"then reboot it ({self.why})" if self.why else "no reboot"]
        return f"Update {self.host}: {'; '.join(words)}"


def visit(name: str, found: Found, wish: Wish, order: str, in_order: Iterable[str]) -> Visit | None:
    """The visit to a host in this order; None if there is nothing to do."""
    updates = tuple(update for update in found.updates if wish.takes(update))
    mine = found.record if found.record and found.record.update == order else None
    unfinished = bool(found.record and found.record.unfinished)
    why = reboot_reason(updates, found.reboot, wish.reboot, done=bool(mine and (mine.step == DONE or mine.rebooted)))
    if not (updates or why or unfinished):
        return None
    patterns = tuple(in_order)
    leaves = bool(why) or any(waits(update.name, patterns) for update in updates)
    return Visit(name, updates, why, leaves, unfinished)


def reboot_reason(updates: Sequence[Update], due: Sequence[str], when: str, done: bool) -> str:
    """Why a host reboots, empty if it does not. `done`: this update has rebooted it already."""
    if when == "never":
        return ""
    kernels = [update.name for update in updates if update.name.startswith(KERNEL)]
    if reasons := [*due, *kernels]:
        return ", ".join(reasons)
    return "reboot=always" if when == "always" and not done else ""


def ordered(visits: Iterable[Visit], stores: Sequence[Store]) -> list[Visit]:
    """Hosts that an earlier update left, then those that lead nothing, then those that lead least.

    What leads moves once if its host comes late: a host that was visited takes over.
    """
    return sorted(visits, key=lambda one: (not one.unfinished, len(led(one.host, stores)) if one.leaves else 0))


def led(host: str, stores: Iterable[Store]) -> list[Store]:
    """The stores that a host leads and another one could."""
    return [store for store in stores if host in store.leaders and len(store.members) > 1]


def successor(store: Store, host: str, rest: Sequence[str]) -> str:
    """The host that leads a store when `host` leaves; `rest` are the hosts whose visits are still to come, in order.

    One that is not visited any more, so that the store does not move again; else the one that is visited last.
    """
    others = [member for member in store.members if member != host]
    if free := [member for member in others if member not in rest]:
        return next((member for member in free if member in store.leaders), free[0])
    return max(others, key=list(rest).index)


def with_moves(visits: Sequence[Visit], stores: Sequence[Store]) -> list[Visit]:
    """The visits with what moves before each, as far as known now: leaders may move by themselves meanwhile."""
    found, now = [], list(stores)
    staying = [one.host for one in visits if one.leaves]
    for one in visits:
        moves = {}
        rest = staying[staying.index(one.host) + 1 :] if one.leaves else []
        for store in led(one.host, now) if one.leaves else []:
            to = moves[store.name] = successor(store, one.host, rest)
            now[now.index(store)] = Store(store.name, store.title, store.members, (to,))
        found.append(Visit(one.host, one.updates, one.why, one.leaves, one.unfinished, moves))
    return found


def chosen(names: Sequence[str], groups: Mapping[str, Sequence[str]], host: str, group: str) -> list[str]:
    """The hosts that the operator named, all of them by default; OperatorError for an unknown group."""
    if host and group:
        raise OperatorError("name one: --data host=data2, or --data group=data")
    if group and not groups.get(group):
        known = ", ".join(sorted(name for name, members in groups.items() if members))
        raise OperatorError(f"group={group}: no host is in such a group; groups: {known}")
    return [host] if host else list(groups[group]) if group else list(names)
