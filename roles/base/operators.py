"""Accounts of people: who may log in, with which keys, and what happens to those who leave."""

import base64
import binascii
import hashlib
import re
from pathlib import Path

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.plan.desired import File, Group, State
from roles.base.host.operators import GROUP

SOURCE = Path(__file__).parent / "host/operators.py"
SUDOERS = "/etc/sudoers.d/nexus-operators"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")
KEY_TYPES = (
    "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
)  # fmt: skip


def logins(host: Host) -> list[str]:
    """Users that sshd admits on a host: first that of runs, then operators by name."""
    return list(dict.fromkeys([str(host.setting.base_user), *sorted(host.setting.base_operators)]))


def group() -> Group:
    """The group that marks accounts of operators, and gives them sudo."""
    return Group(GROUP)


def sudoers() -> File:
    """Sudo for the group, without a password: its members have none."""
    return File(SUDOERS, f"%{GROUP} ALL=(ALL:ALL) NOPASSWD: ALL\n", mode=0o440)


def operators(host: Host) -> State:
    """Accounts with their keys; accounts of the group that are no longer planned are locked out."""
    keys = {name: _lines(found) for name, found in sorted(host.setting.base_operators.items())}
    items = {
        f"operator {name}": {"keys": hashlib.sha256(text.encode()).hexdigest(), "open": True}
        for name, text in keys.items()
    }
    return State("operators", SOURCE, items, payload={"keys": keys}, extra="remove")


def check(env: Environment) -> None:
    """OperatorError for an account that cannot be made, and for a key that sshd would not read."""
    for host in env.hosts:
        for name, keys in host.setting.base_operators.items():
            if not NAME.fullmatch(name) or name in ("root", host.setting.base_user):
                raise OperatorError(
                    f'{host.name}: base_operators has "{name}": a name has lower-case letters, digits, - and _, begins '
                    f"with a letter, and is neither root nor base_user ({host.setting.base_user})"
                )
            if not isinstance(keys, list) or not keys:
                raise OperatorError(
                    f"{host.name}: base_operators has no list of keys for {name}: write public keys such as "
                    f'["ssh-ed25519 AAAA... {name}@desk"], or remove the name'
                )
            for key in keys:
                if why := _fault(str(key)):
                    raise OperatorError(
                        f"{host.name}: base_operators has a key of {name} that is not a public key: {why}. Write the "
                        "line of a file such as ~/.ssh/id_ed25519.pub"
                    )


def _lines(keys: list[str]) -> str:
    return "".join(f"{key.strip()}\n" for key in keys)


def _fault(key: str) -> str:
    """Why a text is not a public key; empty if it is one."""
    words = key.split()
    if "\n" in key.strip() or len(words) < 2 or words[0] not in KEY_TYPES:
        return f"it does not begin with one of {', '.join(KEY_TYPES)}"
    try:
        data = base64.b64decode(words[1], validate=True)
    except binascii.Error:
        return f"what follows {words[0]} is not base64"
    length = int.from_bytes(data[:4], "big")
    return "" if data[4 : 4 + length] == words[0].encode() else f"its data is not that of {words[0]}"
