"""Kernel settings in force on this host, and how they are set. A `*` in a key means every interface."""

import glob
from collections.abc import Mapping
from typing import Any

from nexus.agent.lib import RemoteError
from roles.base.host.effective import kernel, later

DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
ROOT = "/proc/sys/"


def look(wanted: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """{"sysctl KEY": its value}; a setting that this kernel lacks or this host cannot change counts as planned."""
    return {f"sysctl {key}": _look(key, value) for key, value in wanted.items()}


def name_files(found: Mapping[str, dict[str, Any]], own: str, wanted: Mapping[str, str]) -> None:
    """Name the files that would set another value at the next boot."""
    for key, words in later(DIRECTORIES, own, wanted).items():
        if item := found.get(f"sysctl {key}"):
            item["told"] = f"{words}, which takes effect at the next boot: remove it there"


def put(key: str, value: str) -> None:
    """Set a value in the kernel."""
    for path in paths(key):
        if kernel(path) in (None, value):
            continue
        try:
            with open(f"{ROOT}{path}", "w") as stream:
                stream.write(f"{value}\n")
        except FileNotFoundError:  # an interface that has just gone
            continue
        except OSError as error:
            raise RemoteError(f"the kernel rejects {key} = {value}: {error.strerror}") from None


def paths(key: str) -> list[str]:
    """Files below /proc/sys that a key means: names of interfaces may hold dots, so a pattern is resolved here."""
    path = key.replace(".", "/")
    return [found.removeprefix(ROOT) for found in sorted(glob.glob(ROOT + path))] if "*" in key else [path]


def _look(key: str, wanted: str) -> dict[str, Any]:
    found = {value for value in map(kernel, paths(key)) if value is not None}
    if found <= {wanted}:
        return {"value": wanted}
    value = ", ".join(sorted(found))
    return {"value": value, "how": f"{value} is in force instead of {wanted}"}
