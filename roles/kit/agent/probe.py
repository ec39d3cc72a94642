"""Answers: what is on this host of all that a question names."""

from __future__ import annotations

import contextlib
import functools
import grp
import os
import pwd
import stat
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from roles.kit.agent.base import (
    MANIFEST,
    digest,
    group_exists,
    groups_of,
    listing,
    read_fence,
    read_manifest,
    run,
)
from roles.kit.agent.check import refusal
from roles.kit.agent.loading import load
from roles.kit.agent.systemd import units


def probe(question: Mapping[str, Any]) -> dict[str, Any]:
    """Answer for everything that the question names."""
    states = asked(told(question["states"], question["texts"]))
    return {
        "paths": {path: look(path) for path in question["paths"]},
        "packages": packages(question["packages"]),
        "units": units(question["units"]),
        "users": {name: groups_of(name) for name in question["users"]},
        "groups": [name for name in question["groups"] if group_exists(name)],
        "traits": traits(),
        "fence": read_fence(),
        "states": states(),
        "checks": {role: refusal(command) for role, command in question["checks"].items()},
        "manifest": {
            name[:-5]: read_manifest(name[:-5]) for name in listing(MANIFEST) if name.endswith(".json")
        },
    }


def traits() -> dict[str, Any]:
    """What plans must know of a host and cannot choose."""
    with open("/proc/meminfo") as stream:
        memory = int(stream.readline().split()[1]) * 1024
    with open("/proc/net/route") as stream:
        routes = [line.split() for line in stream][1:]
    device = next((route[0] for route in routes if route[1] == "00000000"), None)
    mtu = 1500
    if device:
        with open(f"/sys/class/net/{device}/mtu") as stream:
            mtu = int(stream.read())
    controllers = ""
    with contextlib.suppress(OSError), open("/sys/fs/cgroup/cgroup.controllers") as stream:
        controllers = stream.read()
    return {
        "cpus": os.cpu_count() or 1,
        "memory_bytes": memory,
        "mtu": mtu,
        "gpus": len([name for name in listing("/dev") if name.startswith("nvidia") and name[6:].isdigit()]),
        "architecture": os.uname().machine,
        "docker": {name: name in controllers.split() for name in ("memory", "cpu")},
    }


def look(path: str) -> list[Any] | None:
    """[kind, mode, owner, group, digest or target] of a path, None when nothing is there."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    kind = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}.get(
        stat.S_IFMT(found.st_mode)
    )
    content = digest(path) if kind == "file" else os.readlink(path) if kind == "link" else None
    return [
        kind or "other",
        stat.S_IMODE(found.st_mode),
        user_name(found.st_uid),
        group_name(found.st_gid),
        content,
    ]


@functools.cache  # each look-up reads a whole file
def user_name(number: int) -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    return str(number)


@functools.cache
def group_name(number: int) -> str:
    with contextlib.suppress(KeyError):
        return grp.getgrgid(number).gr_name
    return str(number)


def packages(wanted: Sequence[str]) -> dict[str, str]:
    """State of the wanted packages by name; those that dpkg does not know are left out."""
    with open(
        "/var/lib/dpkg/status", encoding="utf-8"
    ) as stream:  # as dpkg-query reads it, without a process
        entries = "\n" + stream.read()
    found = {}
    for name in wanted:
        begin = entries.find(f"\nPackage: {name}\n")
        if begin >= 0:
            status = entries.index("\nStatus: ", begin)
            found[name] = entries[status : entries.index("\n", status + 1)].split()[-1]
    return found


def ask(name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The role's own answer about its state; an error is an answer too, for the operator to see."""
    try:
        return {
            "items": load(name, wanted["source"], wanted["libraries"])["probe"](
                wanted["names"], wanted["context"]
            )
        }
    except Exception as error:
        return {"items": {}, "error": f"{type(error).__name__}: {error}"}


def told(states: Mapping[str, Mapping[str, Any]], texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """States with the code that stands for itself by its place among the texts."""
    return {
        name: {
            **wanted,
            "source": texts[wanted["source"]],
            "libraries": [[module, texts[place]] for module, place in wanted["libraries"]],
        }
        for name, wanted in states.items()
    }


def asked(states: Mapping[str, Mapping[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Begin to ask for states; what is returned waits for their answers.

    Most of the time goes by while a daemon thinks, so they are asked side by side.
    """
    found: dict[str, Any] = {}

    def work(name: str) -> None:
        found[name] = ask(name, states[name])

    if not states:
        return dict
    from threading import Thread

    workers = [Thread(target=work, args=(name,)) for name in states]
    for worker in workers:
        worker.start()

    def answers() -> dict[str, Any]:
        for worker in workers:
            worker.join()
        return {name: found[name] for name in states}

    return answers


def contents(wanted: Iterable[str]) -> dict[str, str]:
    """Text of files for a diff; what is no text or too long is left out."""
    found = {}
    for path in wanted:
        with contextlib.suppress(OSError, UnicodeDecodeError), open(path) as stream:
            text = stream.read(200_000)
            found[path] = text
    return found


def times(request: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Since when files, units and packages are as they are, in seconds since 1970; what is not known is left out."""
    return {
        "paths": {path: when for path in request["paths"] if (when := _changed(path))},
        "units": _switched(request["units"]),
        "packages": _packaged(request["packages"]),
    }


def _changed(path: str) -> float | None:
    """When a path's content, mode or owner last changed; of one that is gone, when its directory did."""
    for place in (path, os.path.dirname(path)):
        with contextlib.suppress(OSError):
            return os.lstat(place).st_ctime
    return None


def _switched(wanted: Sequence[str]) -> dict[str, float]:
    """When each unit last went up or down."""
    if not wanted:
        return {}
    shown = run(["systemctl", "show", "--property=StateChangeTimestampMonotonic", "--", *wanted])
    booted = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    moments = [block.partition("=")[2] for block in shown.split() if "=" in block]
    found = zip(wanted, moments, strict=True)
    return {name: booted + int(moment) / 1e6 for name, moment in found if moment not in ("", "0")}


def _packaged(wanted: Sequence[str]) -> dict[str, float]:
    """When dpkg last changed each package, by its own log."""
    found: dict[str, float] = {}
    with contextlib.suppress(OSError), open("/var/log/dpkg.log", encoding="utf-8") as stream:
        for line in stream:
            words = line.split()
            if len(words) > 4 and words[2] == "status" and words[4].split(":")[0] in wanted:
                moment = time.strptime(f"{words[0]} {words[1]}", "%Y-%m-%d %H:%M:%S")
                found[words[4].split(":")[0]] = time.mktime(moment)
    return found
