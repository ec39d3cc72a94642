"""Which value is in force where several files set it: for the kernel, sshd, journald and units.

A file of ours can be as planned and still be overridden by another one. These functions name that file.
"""

import fnmatch
import os
from collections.abc import Iterator, Mapping, Sequence

from nexus.agent.file import read_text
from nexus.agent.lib import MANIFEST, listing, read_manifest

PLACES = ("/etc/systemd/system", "/etc/systemd/system.control", "/run/systemd/system", "/run/systemd/system.control")
Settings = Mapping[str, str]


def kernel(path: str) -> str | None:
    """The value of a file below /proc/sys; None where this kernel lacks it or this host cannot set it."""
    path = f"/proc/sys/{path}"
    return " ".join(read_text(path).split()) if os.access(path, os.W_OK) else None


def assigned(text: str) -> Iterator[tuple[str, str]]:
    """(key, value) of each line of an ini or sysctl file, without comments."""
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.lstrip().startswith(("#", ";")):
            yield key.strip().lstrip("-"), value.strip()


def later(directories: Sequence[str], own: str, wanted: Settings) -> dict[str, str]:
    """{key: "FILE sets it to VALUE"} for files that are read after ours and set another value."""
    found = {}
    names = {name: f"{place}/{name}" for place in reversed(directories) for name in listing(place)}
    for name in sorted(names):
        if name.endswith(".conf") and name > os.path.basename(own):
            for key, value in assigned(read_text(names[name])):
                if wanted.get(key, value) != value:
                    found[key] = f"{names[name]} sets it to {value}"
    return found


def sshd(path: str) -> dict[str, tuple[str, str]]:
    """{keyword in lower case: (value, file)} by sshd's rule: the first value read counts; Match blocks are left out."""
    found: dict[str, tuple[str, str]] = {}
    for place, keyword, value in _sshd_lines(path):
        found.setdefault(keyword, (value, place))
    return found


def sshd_overridden(wanted: Settings, own: str) -> list[str]:
    """Values that sshd uses and that do not come from our file `own`, which is compared as a file."""
    used = sshd("/etc/ssh/sshd_config") if os.path.exists(own) else {}
    words = []
    for keyword, value in wanted.items() if used else ():
        found, place = used.get(keyword.lower(), ("its default", "no file that sshd reads"))
        if found != value and place != own:
            words.append(f"{keyword} {found} instead of {value} (from {place})")
    return words


def told(words: Sequence[str]) -> dict[str, str]:
    """What a probe tells of values that override the plan; nothing if none do."""
    if not words:
        return {}
    return {
        "told": f"overrides the plan: {'; '.join(words)}. If that is not intended, remove it, run "
        "`systemctl daemon-reload` and restart the unit"
    }


def _sshd_lines(path: str) -> Iterator[tuple[str, str, str]]:
    for line in read_text(path).splitlines():
        words = line.split(None, 1)
        if not words or words[0].startswith("#"):
            continue
        keyword, value = words[0].lower(), words[1].strip() if len(words) > 1 else ""
        if keyword == "match":
            return
        if keyword == "include":
            for pattern in value.split():
                for place in _matching(pattern):
                    yield from _sshd_lines(place)
        else:
            yield path, keyword, value


def _matching(pattern: str) -> list[str]:
    absolute = pattern if pattern.startswith("/") else f"/etc/ssh/{pattern}"
    directory, name = os.path.split(absolute)
    return [f"{directory}/{entry}" for entry in fnmatch.filter(listing(directory), name)]


def overridden() -> dict[str, str]:
    """{file: what it sets} for drop-ins and unit files of our units that no role planned."""
    units, own = _planned()
    found = {}
    for unit in units:
        for place in PLACES:
            paths = [f"{place}/{unit}.d/{name}" for name in listing(f"{place}/{unit}.d") if name.endswith(".conf")]
            for path in (*paths, f"{place}/{unit}"):
                if path not in own and os.path.isfile(path) and not os.path.islink(path):
                    found[path] = ", ".join(f"{key}={value}" for key, value in assigned(read_text(path)))[:200]
    return found


def _planned() -> tuple[set[str], set[str]]:
    """(units, files) of all roles on this host, from its manifests."""
    units: set[str] = set()
    files: set[str] = set()
    for name in listing(MANIFEST):
        manifest = read_manifest(name.removesuffix(".json"))
        units.update(unit if "." in unit else f"{unit}.service" for unit in manifest.get("units", {}))
        files.update(manifest.get("files", {}))
    return units, files
