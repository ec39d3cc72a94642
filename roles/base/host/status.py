"""Runs on a host: all its file systems, units and packages, ours or not. Changes nothing."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from nexus.agent.dpkg import packages
from nexus.agent.kernel import printable, room, unescaped
from nexus.agent.lib import MANIFEST, RemoteError, listing, read_manifest, run
from nexus.agent.systemd import units

DATA = ("/", "/var/log")
BELOW = ("/var/lib/", "/srv/")  # mounts there hold data, except those that an engine makes for containers
ENGINE = ("/var/lib/docker/", "/run/")
PLAIN = str.maketrans("", "", "[]()")


def host(context: Mapping[str, Any]) -> dict[str, Any]:
    """File systems that hold data, in percent as df counts them; units that do not work; faulty packages."""
    with open("/proc/self/mounts", "rb") as stream:
        mounts = [(unescaped(fields[1]), fields[3]) for fields in map(bytes.split, stream)]
    ours = managed([path for path, _ in mounts])
    paths = [path for path, _ in mounts if path.startswith(BELOW) and not path.startswith(ENGINE)]
    locked = {path for path, options in mounts if b"ro" in options.split(b",")}
    return {
        "disks": list(disks((*DATA, *sorted({*paths, *ours})))),
        "read_only": [printable(path) for path in ours if path in locked],
        "failed": failed(),
        "units": unwell(context.get("units", ())),
        "packages": package_faults(),
        "held": held(),
    }


def disks(paths: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Each file system once: how full it is, by bytes and by inodes."""
    found: dict[int, dict[str, Any]] = {}
    for path in filter(os.path.exists, paths):
        figures = os.statvfs(path)
        free, free_percent = room(figures)
        found.setdefault(
            os.stat(path).st_dev,
            {
                "path": printable(path),
                "used_percent": 100 - free_percent,
                "free_bytes": free,
                "inodes_percent": 100 * (1 - figures.f_favail / figures.f_files) if figures.f_files else 0.0,
            },
        )
    return found.values()


def managed(places: Iterable[str]) -> list[str]:
    """The mount points below which runs write."""
    ours = {path for name in listing(MANIFEST) for path in _paths(name.removesuffix(".json"))}
    return [
        place
        for place in dict.fromkeys(places)
        if place == "/" or any(path == place or path.startswith(f"{place}/") for path in ours)
    ]


def _paths(role: str) -> Iterable[str]:
    recorded = read_manifest(role)
    return [path for kind in ("files", "directories", "links") for path in recorded.get(kind, {})]


def failed() -> list[str]:
    """All units that failed or that systemd keeps restarting, ours or not."""
    shown = run(["systemctl", "list-units", "--state=failed,auto-restart", "--plain", "--no-legend"])
    return [line.split()[0] for line in shown.splitlines() if line.split()]


def unwell(wanted: Iterable[str]) -> dict[str, str]:
    """{unit: what is wrong} for planned units that do not work although they have not failed."""
    found = {}
    for name, unit in units(list(wanted)).items():
        if unit["UnitFileState"].startswith("masked"):
            found[name] = "is masked"
        elif unit.get("crashing"):
            found[name] = f"does not stay up, restarted {unit['restarts']} times"
        elif unit["ActiveState"] in ("inactive", "deactivating", "failed"):
            found[name] = f"is {unit['ActiveState']}"
        elif name.endswith(".timer") and unit["SubState"] == "elapsed":
            found[name] = "no longer triggers"
    return found


def held() -> list[str]:
    """Packages on hold that have another version, as "nginx 1.26 (1.28 is available)"."""
    if not (names := run(["apt-mark", "showhold"]).split()):
        return []
    options = ["-q", "--simulate", "--only-upgrade", "-o", "APT::Ignore-Hold=true", "-o", "Debug::NoLocking=true"]
    try:
        lines = run(["apt-get", "install", *options, *names]).splitlines()
    except RemoteError:  # package_faults reports the reason
        return names
    found = [line.translate(PLAIN).split() for line in lines if line.startswith("Inst ")]
    return [f"{words[1]} {words[2]} ({words[3]} is available)" for words in found if words[1] in names]


def package_faults() -> list[str]:
    """What is wrong with packages, in words: those that dpkg has not finished, and unmet dependencies."""
    found = [f"{name} is {state}" for name, state in sorted(packages(()).items())]
    try:
        run(["apt-get", "check", "-q", "-q", "-o", "Debug::NoLocking=true"])
    except RemoteError as error:
        lines = [line.strip() for line in str(error).splitlines()]
        found += [line.removeprefix("E: ") for line in lines if " : Depends:" in line or line.startswith("E: ")][:5]
    return found


PARTS = {"host": host}
