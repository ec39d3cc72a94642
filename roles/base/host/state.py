"""The base settings in force in this host's kernel and daemons, whatever our files say."""

from collections.abc import Mapping
from typing import Any

from nexus.agent.change import Change
from roles.base.host.effective import later, overridden, sshd_overridden, told
from roles.base.host.sysctl import look, name_files, put

JOURNALD = ("/etc/systemd/journald.conf.d", "/run/systemd/journald.conf.d", "/usr/lib/systemd/journald.conf.d")


def probe(names: list[str], context: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Sysctls in force, and what overrides our files: only an administrator may undo that."""
    found = look(context["sysctl"])
    name_files(found, context["sysctl_file"], context["sysctl"])
    found["sshd in force"] = told(sshd_overridden(context["sshd"], context["sshd_file"]))
    journal = later(JOURNALD, context["journald_file"], context["journald"])
    found["journald in force"] = told([f"{key}: {words}" for key, words in journal.items()])
    found["units in force"] = told([f"{path} ({words})" for path, words in overridden().items()])
    return found


def apply(change: Change) -> None:
    """Set sysctls. Files of others stay as they are."""
    wanted = change.context["sysctl"]
    for key in (name.removeprefix("sysctl ") for name in change.changed):
        if key in wanted:
            put(key, wanted[key])
