"""Programs that must have a measure in force: sshd, PAM, AppArmor, auditd and AIDE."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nexus.agent.file import read_text, remove
from nexus.agent.lib import RemoteError, digest, run
from roles.base.host.effective import sshd_overridden, told

Item = dict[str, Any]
PROFILE_LIST = "/sys/kernel/security/apparmor/profiles"
APPARMOR = "/sys/module/apparmor/parameters/enabled"
DATABASE = "/var/lib/aide/aide.db"


class Sshd:
    """sshd runs with our file: it is stamped when it starts."""

    @staticmethod
    def look(name: str, wanted: Item, context: Mapping[str, Any]) -> Item:
        """The digest of the file that sshd was started with, and what overrides it."""
        stamp = read_text(context["sshd_stamp"])[:64]
        found: Item = {"file": stamp, **told(sshd_overridden(context["sshd"], context["sshd_file"]))}
        if stamp != wanted["file"]:
            found["how"] = "runs with other settings"
        return found

    @staticmethod
    def make(name: str, wanted: Item, context: Mapping[str, Any]) -> None:
        """Restart sshd; a file that it rejects is removed, so that it can start at the next boot."""
        path = context["sshd_file"]
        if digest(path) != wanted["file"]:
            raise RemoteError(f"{path} is not as planned: something else changed it during this run. Rerun")
        os.makedirs("/run/sshd", exist_ok=True)
        try:
            run(["sshd", "-t"])
        except RemoteError:
            remove(path)
            raise
        run(["systemctl", "restart", "ssh.service"])


@dataclass(frozen=True)
class Module:
    """A module of PAM: its profiles, the file that gets their lines, part of such a line, and profiles that must go."""

    profiles: tuple[str, ...]
    file: str
    line: str
    replaced: tuple[str, ...] = ()


MODULES = {
    "faillock": Module(("nexus-faillock", "nexus-faillock-first"), "/etc/pam.d/common-auth", "pam_faillock.so"),
    "passwdqc": Module(("nexus-passwdqc",), "/etc/pam.d/common-password", "pam_passwdqc.so min=", ("passwdqc",)),
}


class Pam:
    """PAM uses a module: Debian's own tool enables its profiles."""

    @staticmethod
    def enabled() -> list[str]:
        """Modules in use."""
        return [name for name, module in MODULES.items() if module.line in read_text(module.file)]

    @classmethod
    def look(cls, name: str, wanted: Item, context: Mapping[str, Any]) -> Item:
        """Whether the module is in use."""
        return {"enabled": name in cls.enabled()}

    @staticmethod
    def make(name: str, wanted: Item, context: Mapping[str, Any]) -> None:
        """Enable its profiles in place of those that a package enabled."""
        module = MODULES[name]
        if module.replaced:
            run(["pam-auth-update", "--package", "--disable", *module.replaced])
        run(["pam-auth-update", "--package", "--enable", *module.profiles])

    @staticmethod
    def leave(name: str) -> None:
        """Disable its profiles, whose files are gone or about to go."""
        run(["pam-auth-update", "--package", "--remove", *MODULES[name].profiles])


class AppArmor:
    """AppArmor has profiles loaded, where the kernel has AppArmor."""

    @staticmethod
    def look(name: str, wanted: Item, context: Mapping[str, Any]) -> Item:
        """Whether any profile is loaded; a note where the kernel has no AppArmor."""
        if read_text(APPARMOR).strip() != "Y":
            return {**wanted, "note": "this kernel runs without AppArmor: boot it with apparmor=1 security=apparmor"}
        return {"profiles": "loaded" if read_text(PROFILE_LIST).strip() else "none"}

    @staticmethod
    def make(name: str, wanted: Item, context: Mapping[str, Any]) -> None:
        """Load the profiles of packages."""
        run(["systemctl", "enable", "--now", "apparmor.service"])
        run(["systemctl", "reload-or-restart", "apparmor.service"])


class Aide:
    """AIDE has a database to compare with."""

    @staticmethod
    def look(name: str, wanted: Item, context: Mapping[str, Any]) -> Item:
        """Whether the database is there."""
        return {"there": os.path.exists(DATABASE)}

    @staticmethod
    def make(name: str, wanted: Item, context: Mapping[str, Any]) -> None:
        """Make it from the files as they are."""
        run(["aideinit", "-y", "-f"], timeout=3600)


class Audit:
    """The kernel has the rules of all files of auditd."""

    @staticmethod
    def look(name: str, wanted: Item, context: Mapping[str, Any]) -> Item:
        """Whether the files have changed since the rules were loaded."""
        try:
            return {"loaded": "No change" in run(["augenrules", "--check"])}
        except RemoteError:  # not installed yet
            return {"loaded": False}

    @staticmethod
    def make(name: str, wanted: Item, context: Mapping[str, Any]) -> None:
        """Load them."""
        run(["augenrules", "--load"])
