"""The base settings in force in this host's kernel and daemons, whatever our files say."""

import os
from collections.abc import Mapping
from typing import Any

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from roles.base.host.effective import kernel, later, overridden, sshd

SYSCTL = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
JOURNALD = ("/etc/systemd/journald.conf.d", "/run/systemd/journald.conf.d", "/usr/lib/systemd/journald.conf.d")


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Sysctls in force, and what overrides our files: only an administrator may undo that."""
    found = {f"sysctl {key}": _sysctl(key, value) for key, value in context["sysctl"].items()}
    _name_files(found, context)
    found["sshd in force"] = _told(_sshd(context["sshd"], context["sshd_file"]))
    journal = later(JOURNALD, context["journald_file"], context["journald"])
    found["journald in force"] = _told([f"{key}: {words}" for key, words in journal.items()])
    found["units in force"] = _told([f"{path} ({words})" for path, words in overridden().items()])
    return found


def apply(change: Change) -> None:
    """Set sysctls. Files of others stay as they are."""
    wanted = change.context["sysctl"]
    for name in change.changed:
        key = name.removeprefix("sysctl ")
        if key not in wanted:
            continue
        try:
            with open(f"/proc/sys/{key.replace('.', '/')}", "w") as stream:
                stream.write(f"{wanted[key]}\n")
        except OSError as error:
            raise RemoteError(f"the kernel rejects {key} = {wanted[key]}: {error.strerror}") from None


def _sysctl(key: str, wanted: str) -> dict[str, Any]:
    value = kernel(key)
    if value is None or value == wanted:
        return {"value": wanted}
    return {"value": value, "how": f"{value} is in force instead of {wanted}"}


def _name_files(found: Mapping[str, dict[str, Any]], context: Mapping[str, Any]) -> None:
    """Name the files that would set another value at the next boot."""
    for key, words in later(SYSCTL, context["sysctl_file"], context["sysctl"]).items():
        found[f"sysctl {key}"]["told"] = f"{words}, which takes effect at the next boot: remove it there"


def _sshd(wanted: Mapping[str, str], own: str) -> list[str]:
    """Values that sshd uses and that do not come from our file; our file is compared as a file."""
    used = sshd("/etc/ssh/sshd_config") if os.path.exists(own) else {}
    words = []
    for keyword, value in wanted.items() if used else ():
        found, place = used.get(keyword.lower(), ("its default", "no file that sshd reads"))
        if found != value and place != own:
            words.append(f"{keyword} {found} instead of {value} (from {place})")
    return words


def _told(words: list[str]) -> dict[str, Any]:
    if not words:
        return {}
    return {
        "told": f"overrides the plan: {'; '.join(words)}. If that is not intended, remove it, run "
        "`systemctl daemon-reload` and restart the unit"
    }
