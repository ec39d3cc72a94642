"""Which hosts are in which groups, by their number or by their names."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nexus.error import OperatorError

TIERS = ("edge", "app", "data", "ops")
STORES = ("etcd", "postgresql", "redis", "rabbitmq")
NAMED = re.compile(rf"({'|'.join(TIERS)})(?![a-z])")
MEMBERS_MAX = 3  # five were never executed, see docs/limits.md
# How many hosts of each tier an environment of so many hosts has; one host of fewer has several tiers.
FORMS = {4: (1, 1, 1, 1), 5: (1, 2, 1, 1), 6: (1, 3, 1, 1), 7: (1, 2, 3, 1), 8: (1, 3, 3, 1)}
SMALL = {1: ((0,), (0,), (0,), (0,)), 2: ((0,), (0,), (1,), (1,)), 3: ((0,), (1,), (2,), (0,))}


@dataclass(frozen=True)
class Group:
    """A group of the inventory: the names of its hosts, and the reason."""

    name: str
    hosts: tuple[str, ...]
    why: str


def tiers(count: int) -> Mapping[str, tuple[int, ...]]:
    """{tier: positions of its hosts} of this many hosts."""
    if count in SMALL:
        return dict(zip(TIERS, SMALL[count], strict=True))
    counts = FORMS.get(count) or (2, count - 6, 3, 1)
    first, found = 0, {}
    for tier, size in zip(TIERS, counts, strict=True):
        found[tier] = tuple(range(first, first + size))
        first += size
    return found


def names(count: int) -> list[str]:
    """Names for hosts without any: each is called after the first tier that it is in."""
    found: dict[int, str] = {}
    for tier, places in tiers(count).items():
        for number, place in enumerate(places, 1):
            found.setdefault(place, "box1" if count == 1 else f"{tier}{number}")
    return [found[place] for place in range(count)]


def groups(hosts: Sequence[str], mongodb: bool, storage: bool = True) -> list[Group]:
    """All groups of an environment; names such as app1 say the tier if all hosts have such a name."""
    if double := [name for name, number in Counter(hosts).items() if number > 1]:
        raise OperatorError(f"two hosts are called {double[0]}: give each its own name, as HOSTS=NAME=ADDRESS,...")
    found = _by_name(hosts) or {tier: tuple(hosts[at] for at in places) for tier, places in tiers(len(hosts)).items()}
    members = _odd(found["data"])
    return [*_tiers(found, hosts), *_stores(found, members, mongodb, storage)]


def _by_name(hosts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """{tier: hosts} as the names say; empty if a name says none or a tier has no host."""
    said = [NAMED.match(name) for name in hosts]
    if not all(said):
        return {}
    found = {tier: tuple(n for n, s in zip(hosts, said, strict=True) if s and s[1] == tier) for tier in TIERS}
    return found if all(found.values()) else {}


def _odd(hosts: tuple[str, ...]) -> tuple[str, ...]:
    count = min(len(hosts), MEMBERS_MAX)
    return hosts[: count if count % 2 else count - 1]


def _tiers(found: Mapping[str, tuple[str, ...]], hosts: Sequence[str]) -> Iterator[Group]:
    reasons = {
        "edge": ("serves all clients", "all but one may fail if DNS or a load balancer directs clients to the others"),
        "app": ("nothing runs without it", "services move to the others when one fails"),
        "data": ("hosts of stores, and those that leave a store", "hosts of stores, and those that leave a store"),
        "ops": ("registry, images, metrics, logs", "metrics on each; registry, images and logs on the first"),
    }
    shared = {name for name in hosts if sum(name in members for members in found.values()) > 1}
    for tier, members in found.items():
        also = ", shared with other groups for lack of hosts" if shared & set(members) else ""
        yield Group(tier, members, f"{reasons[tier][len(members) > 1]}{also}")


def _stores(
    found: Mapping[str, tuple[str, ...]], members: tuple[str, ...], mongodb: bool, storage: bool
) -> Iterator[Group]:
    count = len(members)
    failures = "one member may fail" if count > 1 else "a single member: down while its host is down"
    spare = f"; {len(found['data'])} hosts would tolerate no more than {count}" if len(found["data"]) % 2 == 0 else ""
    for store in STORES:
        yield Group(store, members, f"{failures}{spare}")
    if mongodb:
        yield Group("mongodb", members, f"{failures}{spare}")
    else:
        yield Group("mongodb", (), "absent: the vendor's key group_data/keys/mongodb.asc is needed first")
    if storage:
        yield Group(
            "storage", found["ops"][:1], "backups and packed logs; not on a data host, which they shall outlive"
        )
    else:
        yield Group(
            "storage", (), "absent: storage_endpoint names a bucket elsewhere; without one nothing is backed up"
        )
