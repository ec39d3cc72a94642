"""What dpkg knows of packages, read as dpkg-query does, but without a process.

dpkg writes its whole status file at the end of its work. Until then (and for good if it was killed) newer changes are
in its journal, a file for each change. Invalid bytes in these files do no harm.
"""

import os
import re
from collections.abc import Collection

from nexus.agent.kernel import printable
from nexus.agent.lib import listing

STATUS, JOURNAL = "/var/lib/dpkg/status", "/var/lib/dpkg/updates"
FIELD = b"\nStatus: "
LASTING = ("installed", "config-files", "not-installed")  # every other state is a transition to one of these
UNUSUAL = re.compile(rb"\nStatus: (?!(?:install|hold) ok installed\n|deinstall ok config-files\n)")


def packages(wanted: Collection[str]) -> dict[str, str]:
    """State of the wanted packages by name, and of every other package that dpkg has not finished.

    A state is a word such as "installed" or "half-configured". Packages that dpkg does not know are left out.
    """
    text = _text(STATUS)
    found = {name: state for name in wanted if (state := _state(text, name))}
    if UNUSUAL.search(text):
        found |= _states(text)
    for name in listing(JOURNAL):
        if name.isdigit():  # a later file overrides an earlier one
            found |= _states(_text(f"{JOURNAL}/{name}"))
    return {name: state for name, state in found.items() if name in wanted or state not in LASTING}


def _text(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return b"\n" + stream.read()
    except FileNotFoundError:
        return b"\n"


def _state(text: bytes, name: str) -> str:
    """The state of one package, empty if dpkg does not know it."""
    begin = text.find(b"\nPackage: " + os.fsencode(name) + b"\n")
    status = text.find(FIELD, begin) if begin >= 0 else -1
    return _last(text[status + 1 : text.find(b"\n", status + 1)]) if status >= 0 else ""


def _states(text: bytes) -> dict[str, str]:
    """The state of every package; with several architectures, the unfinished one."""
    found: dict[str, str] = {}
    for entry in text.split(b"\n\n"):
        lines = [line.split(b": ", 1) for line in entry.split(b"\n") if line.startswith((b"Package: ", b"Status: "))]
        fields = dict(line for line in lines if len(line) == 2)
        name, state = printable(fields.get(b"Package", b"")), _last(fields.get(b"Status", b""))
        if name and state and found.get(name, "installed") in LASTING:
            found[name] = state
    return found


def _last(field: bytes) -> str:
    words = field.split()
    return printable(words[-1]) if words else ""
