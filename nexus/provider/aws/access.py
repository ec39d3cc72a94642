"""How hosts of this provider are reached: host keys made beforehand, known_hosts and ssh_config in the checkout.

The public host key of each host is a tag of its instance, so that every operator's known_hosts can be written from the
tags, which arrive over TLS from AWS.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nexus import project
from nexus.provider.ssh_key import make_key
from nexus.workstation import write_whole

FOLDER = ".cloud"


@dataclass(frozen=True)
class Reached:
    """A host as SSH reaches it; `jump` is the address of the host in between, or empty."""

    name: str
    address: str
    host_key: str
    jump: str


def directory(environment: str) -> Path:
    """Return the directory of what this checkout knows of an environment's hosts."""
    return project.root() / FOLDER / environment


def host_key(environment: str, host: str, generation: int) -> tuple[str, str]:
    """Return a host's private and public key. They are kept: a request that is repeated must be the same."""
    private = directory(environment) / "host_keys" / f"{host}-{generation}"
    public = private.with_suffix(".pub")
    if not public.is_file():
        made = make_key(f"root@{host}")
        write_whole(private, made[0], 0o600)
        write_whole(public, made[1])
    return private.read_text(), public.read_text()


def forget_host_keys(environment: str) -> None:
    """Delete the private keys: the hosts have theirs, and nobody else needs them."""
    for path in (directory(environment) / "host_keys").glob("*"):
        path.unlink(missing_ok=True)


def write(environment: str, user: str, hosts: Iterable[Reached]) -> None:
    """Write known_hosts and ssh_config of an environment, where they differ."""
    reached = list(hosts)
    folder = directory(environment)
    known = "".join(f"{one.name},{one.address} {one.host_key}\n" for one in reached if one.host_key)
    config = "".join(_stanza(folder, user, one) for one in reached)
    for path, text in ((folder / "known_hosts", known), (folder / "ssh_config", config)):
        if not path.is_file() or path.read_text() != text:
            write_whole(path, text)


def _stanza(folder: Path, user: str, one: Reached) -> str:
    jump = f"    ProxyJump {user}@{one.jump}\n" if one.jump else ""
    return (
        f"Host {one.name} {one.address}\n"
        f"    HostName {one.address}\n"
        f"    User {user}\n"
        f'    UserKnownHostsFile "{folder}/known_hosts"\n'
        f"    StrictHostKeyChecking yes\n"
        f"{jump}"
    )
