"""Permissions of files that packages own and of homes, and options of mounts."""

import contextlib
import grp
import os
import pwd
import shutil
import stat
from collections.abc import Mapping
from typing import Any

from nexus.agent.file import concerning, read_text
from nexus.agent.lib import run

Item = dict[str, Any]
MOUNTS = "/proc/self/mountinfo"


class Permissions:
    """Mode and owner of a file or directory that a package made."""

    @staticmethod
    def look(path: str, wanted: Item, context: Mapping[str, Any]) -> Item:
        """Its mode and owner; what is not there is as planned."""
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            return wanted
        if stat.S_ISLNK(found.st_mode):
            return wanted
        return {"mode": f"{stat.S_IMODE(found.st_mode):04o}", "owner": f"{_user(found.st_uid)}:{_group(found.st_gid)}"}

    @staticmethod
    def make(path: str, wanted: Item, context: Mapping[str, Any]) -> None:
        """Set them."""
        with concerning(path):
            shutil.chown(path, *wanted["owner"].split(":"))
            os.chmod(path, int(wanted["mode"], 8))


class Home:
    """The home of an account is closed: others neither read nor write it, and its group does not write."""

    OPEN = 0o027

    @classmethod
    def look(cls, name: str, wanted: Item, context: Mapping[str, Any]) -> Item:
        """Whether it is closed; an account or a home that is not there is as planned."""
        path = _home(name)
        return {"closed": not os.stat(path).st_mode & cls.OPEN} if path else wanted

    @classmethod
    def make(cls, name: str, wanted: Item, context: Mapping[str, Any]) -> None:
        """Close it."""
        if path := _home(name):
            with concerning(path):
                os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) & ~cls.OPEN)


class Mount:
    """Options of a mount in force; at boot the unit sets them."""

    @staticmethod
    def look(path: str, wanted: Item, context: Mapping[str, Any]) -> Item:
        """The planned options that it has; a note where nothing is mounted there."""
        options = mount_options(path)
        if options is None:
            return {**wanted, "note": f"{path} is not a mount of its own, so it has the options of what holds it"}
        return {"options": ",".join(option for option in wanted["options"].split(",") if option in options)}

    @staticmethod
    def make(path: str, wanted: Item, context: Mapping[str, Any]) -> None:
        """Mount it again with the options."""
        run(["mount", "-o", f"remount,{wanted['options']}", path])


def mount_options(path: str) -> list[str] | None:
    """Options of the newest mount at a path; None if there is none."""
    found = None
    for line in read_text(MOUNTS).splitlines():
        fields = line.split()
        if fields[4] == path:
            found = fields[5].split(",")
    return found


def _home(name: str) -> str:
    """The home of an account, a directory of its own; empty if there is none."""
    with contextlib.suppress(KeyError):
        account = pwd.getpwnam(name)
        if os.path.isdir(account.pw_dir) and os.stat(account.pw_dir).st_uid == account.pw_uid:
            return account.pw_dir
    return ""


def _user(number: int) -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return str(number)


def _group(number: int) -> str:
    with contextlib.suppress(KeyError):
        return grp.getgrgid(number).gr_name
    return str(number)
