"""What no file shows of hardening: values in force in the kernel, sshd, mounts, PAM and programs that watch.

The first word of an item names its kind: `look` answers in the shape of what is planned, `make` makes it so.
"""

from collections.abc import Mapping
from typing import Any

from nexus.agent.change import Change
from roles.base.host.sysctl import look, name_files, put
from roles.hardening.host.accounts import Account, Default
from roles.hardening.host.daemon import Aide, AppArmor, Audit, Pam, Sshd
from roles.hardening.host.system import Home, Mount, Permissions

Item = dict[str, Any]
KINDS: dict[str, Any] = {
    "sshd": Sshd,
    "pam": Pam,
    "apparmor": AppArmor,
    "aide": Aide,
    "audit": Audit,
    "account": Account,
    "home": Home,
    "login.defs": Default,
    "permissions": Permissions,
    "mount": Mount,
}


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, Item]:
    """All planned items, and PAM's modules also if they are no longer planned."""
    wanted = context["wanted"]
    kernel = {name.removeprefix("sysctl "): item["value"] for name, item in wanted.items() if _kind(name) == "sysctl"}
    found = look(kernel)
    name_files(found, context["sysctl_file"], context["sysctl"])
    for name, item in wanted.items():
        if name not in found:
            found[name] = KINDS[_kind(name)].look(_rest(name), item, context)
    for module in Pam.enabled():
        found.setdefault(f"pam {module}", {"enabled": True})
    return found


def apply(change: Change) -> None:
    """Make items as planned, in the order of the plan; sshd comes last."""
    changed = set(change.changed)
    for name in sorted((name for name in change.context["wanted"] if name in changed), key=lambda name: name == "sshd"):
        wanted = change.items[name]
        if _kind(name) == "sysctl":
            put(_rest(name), wanted["value"])
        else:
            KINDS[_kind(name)].make(_rest(name), wanted, change.context)
    for name in change.removed:
        if _kind(name) == "pam":
            Pam.leave(_rest(name))


def _kind(name: str) -> str:
    return name.partition(" ")[0]


def _rest(name: str) -> str:
    return name.partition(" ")[2]
