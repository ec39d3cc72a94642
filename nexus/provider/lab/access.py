"""How a user reaches the lab's hosts: key pair, known host keys and ssh_config in the checkout.

Host keys are created here and written to the hosts, so they are known before a host first answers.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from nexus.provider.lab import defaults
from nexus.provider.lab.environment import PROJECT, LabEnvironment
from nexus.provider.ssh_key import make_key
from nexus.workstation import write_whole

FILES = ("id", "id_ed25519", "id_ed25519.pub", "known_hosts", "ssh_config")


def identity(access: Path) -> str | None:
    """The mark by which a checkout's environment recognises its own hosts, or None if it has none yet."""
    file = access / "id"
    return file.read_text().strip() if file.is_file() and (access / "id_ed25519").is_file() else None


def make_identity(environment: LabEnvironment) -> str:
    """The environment's mark; it is created with the key pair if absent."""
    if known := identity(environment.access):
        return known
    private, public = make_key(f"{defaults.USER}@{environment.name}")
    _write(environment.access / "id_ed25519", private, 0o600)
    _write(environment.access / "id_ed25519.pub", public)
    mark = secrets.token_hex(8)
    _write(environment.access / "id", mark + "\n")
    return mark


def public_key(environment: LabEnvironment) -> str:
    """The authorized_keys line of this checkout's user."""
    return (environment.access / "id_ed25519.pub").read_text()


def write(environment: LabEnvironment, host_keys: Mapping[str, str]) -> bool:
    """Write known_hosts and ssh_config; returns whether anything in them was new."""
    known = "".join(f"{h.name},{h.address} {' '.join(host_keys[h.name].split()[:2])}\n" for h in environment.hosts)
    config = "".join(_ssh_stanza(environment.access, h.name, h.address) for h in environment.hosts)
    new_keys = _write(environment.access / "known_hosts", known)
    return _write(environment.access / "ssh_config", config) or new_keys


def remove(environment: LabEnvironment) -> None:
    """Delete what this module created; files of deploys in the same directory stay."""
    for name in FILES:
        (environment.access / name).unlink(missing_ok=True)
    if environment.access.is_dir() and not any(environment.access.iterdir()):
        environment.access.rmdir()


def _ssh_stanza(access: Path, name: str, address: str) -> str:
    return (
        f"Host {name} {address}\n"
        f"    HostName {address}\n"
        f"    User {defaults.USER}\n"
        f'    IdentityFile "{access}/id_ed25519"\n'
        f"    IdentitiesOnly yes\n"
        f'    UserKnownHostsFile "{access}/known_hosts"\n'
        f"    StrictHostKeyChecking yes\n"
    )


def _write(path: Path, text: str, mode: int = 0o644) -> bool:
    """Replace a file as a whole if it differs; the checkout's owner owns it even under sudo."""
    if path.is_file() and path.read_text() == text:
        return False
    owner = PROJECT.stat()
    for directory in (path.parent.parent, path.parent):
        if not directory.exists():
            directory.mkdir()
            os.chown(directory, owner.st_uid, owner.st_gid)
    write_whole(path, text, mode, (owner.st_uid, owner.st_gid))
    return True
