"""How a user reaches the lab's hosts: key pair, known host keys, ssh_config and hosts.json in the checkout.

Host keys are made here and laid into the hosts, so they are known before a host first answers.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from roles.lab import defaults
from roles.lab.environment import PROJECT, LabEnvironment

FILES = ("id", "id_ed25519", "id_ed25519.pub", "known_hosts", "ssh_config", "hosts.json")


def make_key(comment: str) -> tuple[str, str]:
    """A new ed25519 key: private in OpenSSH's format, public as one line."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return private, f"{public} {comment}\n"


def identity(access: Path) -> str | None:
    """The mark by which a checkout's environment knows its own hosts, or None when it has none yet."""
    file = access / "id"
    return file.read_text().strip() if file.is_file() and (access / "id_ed25519").is_file() else None


def make_identity(environment: LabEnvironment) -> str:
    """The environment's mark and key pair, made when absent."""
    if known := identity(environment.access):
        return known
    private, public = make_key(f"{defaults.USER}@{environment.name}")
    _write(environment.access / "id_ed25519", private, 0o600)
    _write(environment.access / "id_ed25519.pub", public)
    mark = secrets.token_hex(8)
    _write(environment.access / "id", mark + "\n")
    return mark


def public_key(environment: LabEnvironment) -> str:
    """The line that lets this checkout's user in."""
    return (environment.access / "id_ed25519.pub").read_text()


def write(environment: LabEnvironment, host_keys: Mapping[str, str]) -> bool:
    """Writes known_hosts, ssh_config and hosts.json; says whether anything in them was new."""
    hosts = [{"name": h.name, "address": h.address, "groups": list(h.groups)} for h in environment.hosts]
    known = "".join(
        f"{h.name},{h.address} {' '.join(host_keys[h.name].split()[:2])}\n" for h in environment.hosts
    )
    config = "".join(_ssh_stanza(environment.access, h.name, h.address) for h in environment.hosts)
    files = {"hosts.json": json.dumps(hosts, indent=2) + "\n", "known_hosts": known, "ssh_config": config}
    written = [_write(environment.access / name, text) for name, text in files.items()]
    return any(written)


def remove(environment: LabEnvironment) -> None:
    """Deletes what this module made; what the deploys keep beside it stays."""
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
    """Replaces a file as a whole when it differs; it is the checkout owner's even when sudo makes it."""
    if path.is_file() and path.read_text() == text:
        return False
    owner = PROJECT.stat()
    for directory in (path.parent.parent, path.parent):
        if not directory.exists():
            directory.mkdir()
            os.chown(directory, owner.st_uid, owner.st_gid)
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    os.chown(partial, owner.st_uid, owner.st_gid)
    partial.replace(path)
    return True
