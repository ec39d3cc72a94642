"""What existing hosts say of themselves when their sizes are not given: names, sizes, and how sudo works there."""

from dataclasses import replace
from typing import Any

from nexus.environment import settings
from nexus.environment.environment import Host
from nexus.environment.settings import Settings
from nexus.error import OperatorError
from nexus.provider.ssh.host_key import Confirm
from nexus.transport import sudo
from runbooks.contact import given_fingerprints, meet
from runbooks.contact.report import Contact, lines
from runbooks.environment.create import asks_password
from runbooks.environment.fit import Line
from runbooks.environment.wanted import Size, Wanted


def ask_hosts(wanted: Wanted, confirm: Confirm | None) -> tuple[list[Contact], list[str]]:
    """What is known of each host now, and the report; nothing is changed there."""
    names = [host.name or host.place for host in wanted.hosts]
    data = [_data(wanted, at) for at in range(len(names))]
    hosts = [
        Host(name, host.address, frozenset(), Settings({**settings.defaults(), **each}))
        for name, host, each in zip(names, wanted.hosts, data, strict=True)
    ]
    given = [*given_fingerprints(), *wanted.fingerprints]
    found = meet(hosts, confirm, given)
    return found, list(lines(found))


def learned(wanted: Wanted, found: list[Contact]) -> tuple[Wanted, dict[str, Size], list[Line]]:
    """The environment with the names that its hosts have, their sizes, and settings that follow.

    OperatorError if a host did not answer.
    """
    silent = [contact.host.name for contact in found if not contact.seen]
    if silent:
        raise OperatorError(
            f"{', '.join(silent)} did not say what it has, see above: fix that, or state SIZES=4x16 (cores x GiB)"
        )
    seen = [contact.seen for contact in found if contact.seen]
    if not any(host.name for host in wanted.hosts):
        named = zip(wanted.hosts, seen, strict=True)
        wanted = replace(wanted, hosts=tuple(replace(host, name=one.facts.name) for host, one in named))
    sizes = {
        host.name: Size(one.facts.cpus, one.facts.memory_bytes) for host, one in zip(wanted.hosts, seen, strict=True)
    }
    asking = [name for name, one in zip(sizes, seen, strict=True) if one.asks_password]
    known = wanted.sudo_password or not asking
    return wanted, sizes, [] if known else [asks_password(", ".join(asking))]


def _data(wanted: Wanted, at: int) -> dict[str, Any]:
    """Data of a host as its inventory will have them."""
    data: dict[str, Any] = {
        "ssh_hostname": wanted.hosts[at].place,
        "ssh_user": wanted.ssh_user,
        "ssh_known_hosts_file": f"inventory/{wanted.name}.known_hosts",
        sudo.SETTING: True,  # a password is asked for where one is needed
    }
    if wanted.ssh_key:
        data |= {"ssh_key": wanted.ssh_key, "ssh_allow_agent": False, "ssh_look_for_keys": False}
    return data | ({"ssh_config_file": wanted.ssh_config} if wanted.ssh_config else {})
