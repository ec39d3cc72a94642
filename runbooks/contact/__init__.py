"""First contact with hosts that exist: one report per host, before anything is changed there."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from nexus.environment.environment import Environment, Host, Traits
from nexus.error import OperatorError, split
from nexus.provider.ssh import host_key
from nexus.provider.ssh.host_key import Confirm, HostKey
from nexus.provider.ssh.look import Facts
from nexus.provider.ssh.refusal import among, refusals
from nexus.provider.ssh.way import SECONDS, in_words, look
from nexus.transport import login, sudo
from roles.service import capacity
from runbooks.contact.need import needs
from runbooks.contact.report import Contact, lines

FINGERPRINTS = "NEXUS_FINGERPRINTS"
AT_ONCE = 8
T = TypeVar("T")


def first_contact(env: Environment, confirm: Confirm | None) -> Iterator[str]:
    """Look at all hosts of an environment and yield the report; OperatorError at the end if any is refused."""
    found = meet(env.hosts, confirm, given_fingerprints())
    plan = needs(env)
    for contact in found:
        if contact.seen:
            need = plan[contact.host.name]
            contact.wrong += refusals(contact.host, contact.seen.facts, need, contact.seen.ahead)
    common = list(_common(env, found))
    yield from lines(found)
    count = sum(map(len, (contact.wrong for contact in found))) + len(common)
    yield from (f"refused: {text}" for text in common)
    if count:
        raise OperatorError(
            f"{count} reason{'s' * (count != 1)} why {env.name} cannot be deployed yet, see above. Nothing was changed "
            "on any host. Fix them and rerun"
        )


def given_fingerprints() -> Sequence[str]:
    """Fingerprints of host keys that the operator gave."""
    return split(os.environ.get(FINGERPRINTS, ""))


def meet(hosts: Iterable[Host], confirm: Confirm | None, given: Sequence[str]) -> list[Contact]:
    """Pin the keys of hosts, log in to them and look around, all at once; questions come one after the other."""
    found = [Contact(host) for host in hosts]
    keys = _each(found, _shown)
    for contact, key in zip(found, keys, strict=True):
        if key and contact.way:
            _note(contact, partial(_pin, contact, key, confirm, given))
    _each(found, _look)
    return found


def _shown(contact: Contact) -> HostKey:
    way = contact.way = login.way_of(contact.host.setting, contact.host.address)
    with in_words(way):
        return host_key.shown(way, [login.known_hosts(contact.host.setting, way)], SECONDS)


def _pin(contact: Contact, key: HostKey, confirm: Confirm | None, given: Sequence[str]) -> None:
    assert contact.way
    own = [Path(path) for path in contact.way.known_hosts] or [Path("~/.ssh/known_hosts").expanduser()]
    path = login.known_hosts(contact.host.setting, contact.way)
    contact.pinned = host_key.pin(contact.host.name, key, path, own, given, confirm)


def _look(contact: Contact) -> None:
    if contact.way and not contact.wrong:
        contact.seen = look(contact.host, contact.way, sudo.password)


def _each(found: Sequence[Contact], work: Callable[[Contact], T]) -> list[T | None]:
    """The results of the same work for all hosts at once; what is wrong with a host is noted there."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda contact: _note(contact, partial(work, contact)), found))


def _note(contact: Contact, work: Callable[[], T]) -> T | None:
    try:
        return work()
    except OperatorError as error:
        contact.wrong.append(str(error))
        return None


def _common(env: Environment, found: Iterable[Contact]) -> Iterator[str]:
    """What is wrong with the hosts together: copies of one machine, and services that do not fit."""
    facts = {contact.host.name: contact.seen.facts for contact in found if contact.seen}
    yield from among(facts)
    hosts = tuple(replace(host, traits=_traits(facts[host.name])) for host in env.hosts if host.name in facts)
    if len(hosts) == len(env.hosts):
        yield from (str(error) for error in capacity.of_environment(replace(env, hosts=hosts)).errors)


def _traits(found: Facts) -> Traits:
    limits = {"memory": True, "cpu": True}  # nothing here depends on them
    return Traits(found.cpus, found.memory_bytes, found.mtu, found.gpus, found.architecture, limits)
