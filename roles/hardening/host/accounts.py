"""Ages of passwords: defaults for new accounts, and accounts that must never end."""

import re
from collections.abc import Mapping
from typing import Any

from nexus.agent.file import read_text, write_atomic
from nexus.agent.lib import run

Item = dict[str, Any]
DEFAULTS = "/etc/login.defs"
SHADOW = "/etc/shadow"
NEVER_DAYS = 99999
FIELDS = ("name", "password", "changed", "min", "max", "warn", "inactive", "expires", "reserved")


class Default:
    """A value of login.defs."""

    @staticmethod
    def look(name: str, wanted: Item, context: Mapping[str, Any]) -> Item:
        """The value that counts: the last one."""
        found = _pattern(name).findall(read_text(DEFAULTS))
        return {"value": found[-1] if found else ""}

    @staticmethod
    def make(name: str, wanted: Item, context: Mapping[str, Any]) -> None:
        """Replace the value where it is, or add it; the rest of the file belongs to its package."""
        text = read_text(DEFAULTS)
        line = f"{name}\t{wanted['value']}"
        changed, count = _pattern(name).subn(line, text)
        if not count:
            changed = f"{text.rstrip()}\n{line}\n"
        write_atomic(DEFAULTS, changed.encode(), 0o644, "root", "root")


class Account:
    """An account that logs in by key: nothing about passwords may end that."""

    @staticmethod
    def look(name: str, wanted: Item, context: Mapping[str, Any]) -> Item:
        """What ends the account, "never" if nothing does."""
        entry = shadow(name)
        if not entry:
            return {"ends": "never"}  # it does not exist, or comes from a directory service
        ends = []
        if _days(entry["max"]) < NEVER_DAYS:
            ends.append(f"its password must be changed every {entry['max']} days")
        if entry["changed"] == "0":
            ends.append("its password must be changed now")
        ends += [f"{key} is {entry[key]}" for key in ("inactive", "expires") if entry[key] not in ("", "-1")]
        return {"ends": "never"} if not ends else {"ends": "early", "how": f"{'; '.join(ends)}, which ends logins"}

    @staticmethod
    def make(name: str, wanted: Item, context: Mapping[str, Any]) -> None:
        """Remove all ends."""
        if entry := shadow(name):
            today = ["--lastday", _today()] if entry["changed"] == "0" else []
            run(["chage", "--maxdays", "-1", "--inactive", "-1", "--expiredate", "-1", *today, name])


def shadow(name: str) -> dict[str, str]:
    """The entry of an account in /etc/shadow; empty if there is none."""
    for line in read_text(SHADOW).splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) == len(FIELDS):
            return dict(zip(FIELDS, fields, strict=True))
    return {}


def _days(text: str) -> int:
    """Days of a field; empty and negative ones mean never."""
    number = int(text) if text.lstrip("-").isdigit() else -1
    return number if number >= 0 else NEVER_DAYS


def _today() -> str:
    return run(["date", "+%F"]).strip()


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"^{re.escape(name)}[ \t]+(\S+)[ \t]*$", re.MULTILINE)
