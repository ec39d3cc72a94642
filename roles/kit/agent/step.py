"""Steps: what a run does to this host. Each can be repeated after a kill at any point."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from typing import Any

from roles.kit.agent.base import (
    MANIFEST,
    STAMP,
    RemoteError,
    group_exists,
    groups_of,
    listing,
    read_manifest,
    run,
)
from roles.kit.agent.file import remove, write_atomic
from roles.kit.agent.loading import load
from roles.kit.agent.systemd import reread, units
from roles.kit.agent.unit import settle

Request = Mapping[str, Any]
UNIT_FILES = "/etc/systemd/system/"


def step_record(request: Request) -> None:
    """Note what is about to become ours, before it is made: a kill in between leaves nothing unknown."""
    os.makedirs(MANIFEST, mode=0o700, exist_ok=True)
    role, planned = request["role"], request["manifest"]
    recorded = read_manifest(role)
    for kind, names in planned.items():
        entries = recorded.setdefault(kind, {})
        for name in names:
            entries.setdefault(name, not there(kind, name))
    write_atomic(f"{MANIFEST}/{role}.json", json.dumps(recorded, indent=1, sort_keys=True).encode())


def there(kind: str, name: str) -> bool:
    """Whether an item was on the host before us; then it is never removed."""
    if kind in ("files", "directories", "links"):
        return os.path.lexists(name)
    if kind == "users":
        return groups_of(name) is not None
    if kind == "groups":
        return group_exists(name)
    if kind == "units":
        return bool(units([name])[name]["UnitFileState"] == "enabled")
    return False


def step_files(request: Request) -> None:
    for item in request["directories"]:
        if os.path.lexists(item["path"]) and not os.path.isdir(item["path"]):
            raise RemoteError(f"{item['path']} should be a directory but is none: move it away")
        os.makedirs(item["path"], exist_ok=True)
        shutil.chown(item["path"], item["owner"], item["group"])
        os.chmod(item["path"], item["mode"])
    for item in request["files"]:
        os.makedirs(os.path.dirname(item["path"]), exist_ok=True)
        write_atomic(item["path"], base64.b64decode(item["data"]), item["mode"], item["owner"], item["group"])
    for item in request["links"]:
        os.makedirs(os.path.dirname(item["path"]), exist_ok=True)
        temporary = f"{item['path']}.nexus-new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        os.symlink(item["target"], temporary)
        os.rename(temporary, item["path"])
    for path in request["absent"]:
        remove(path)
    if not request.get("units_follow") and any(
        item["path"].startswith(UNIT_FILES) for item in (*request["files"], *request["links"])
    ):
        reread()


def step_packages(request: Request) -> None:
    options = ["-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
    options += ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
    if run(["dpkg", "--audit"]).strip():  # an earlier run died inside dpkg
        run(["dpkg", "--configure", "-a", "--force-confdef", "--force-confold"], timeout=900)
    install = ["apt-get", "install", *options, *request["packages"]]
    fresh = listing("/var/lib/apt/lists")
    if request["update"] or len(fresh) < 4:
        run(["apt-get", "update", "-q", "-o", "DPkg::Lock::Timeout=300"], timeout=300)
    try:
        run(install, timeout=1800)
    except RemoteError:  # lists may be older than the archive
        run(["apt-get", "update", "-q", "-o", "DPkg::Lock::Timeout=300"], timeout=300)
        run([*install, "--fix-broken"], timeout=1800)


def step_accounts(request: Request) -> None:
    for name in request["groups"]:
        run(["groupadd", "--system", name])
    for user in request["users"]:
        if groups_of(user["name"]) is None:
            argv = ["useradd", "--shell", user["shell"], *(["--system"] if user["system"] else [])]
            argv += ["--home-dir", user["home"]] if user["home"] else []
            argv += ["--create-home"] if user["home"] and not user["system"] else []
            run([*argv, user["name"]])
        missing = set(user["groups"]) - set(groups_of(user["name"]) or ())
        for group in sorted(missing):
            run(["usermod", "--append", "--groups", group, user["name"]])


def step_units(request: Request) -> None:
    """Units as planned. Whatever is to be enabled is so before systemd reads all unit files, once for all of it."""
    kinds = {
        "mask": [unit["name"] for unit in request["units"] if unit["masked"]],
        "enable": [unit["name"] for unit in request["units"] if unit["enable"] and not unit["masked"]],
        "disable": [unit["name"] for unit in request["units"] if unit["disable"] and not unit["masked"]],
    }
    for verb, names in kinds.items():
        if names:
            run(["systemctl", "--no-reload", verb, *names])
    reread(anyway=any(kinds.values()))
    for unit in request["units"]:
        if unit["masked"] or not unit["running"]:
            run(["systemctl", "stop", unit["name"]], timeout=180)
        else:
            settle(unit, request.get("put_off", False))


def step_state(request: Request) -> None:
    load(request["name"], request["source"], request["libraries"])["apply"](
        request["items"], request["changed"], request["removed"], request["context"], request["payload"]
    )


def step_forget(request: Request) -> None:
    """Remove what an earlier run made and the plan no longer names, then record exactly the plan.

    With `stop` units are stopped that a package had enabled before us, too: a daemon of a store does not go on
    without the configuration that makes it a member of its cluster.
    """
    role, planned = request["role"], request["manifest"]
    recorded = read_manifest(role)

    def gone(kind: str) -> list[str]:
        whatever = kind == "units" and request.get("stop", False)
        return [
            name
            for name, ours in recorded.get(kind, {}).items()
            if (ours or whatever) and name not in planned.get(kind, [])
        ]

    for name in gone("units"):
        if units([name])[name]["LoadState"] == "loaded":
            run(["systemctl", "disable", "--now", name], timeout=180)
            with contextlib.suppress(RemoteError):  # one that was stopped from elsewhere counts as failed
                run(["systemctl", "reset-failed", name])
        remove(f"{STAMP}/{name}")
    for path in gone("files") + gone("links") + sorted(gone("directories"), key=len, reverse=True):
        remove(path)
    if gone("units") or gone("files"):
        reread()
    for name in gone("users"):
        if groups_of(name) is not None:
            run(["userdel", name])
    for name in gone("groups"):
        if group_exists(name):
            run(["groupdel", name])
    if not any(planned.values()):
        remove(f"{MANIFEST}/{role}.json")
        return
    kept = {
        kind: {name: recorded.get(kind, {}).get(name, False) for name in names}
        for kind, names in planned.items()
    }
    write_atomic(f"{MANIFEST}/{role}.json", json.dumps(kept, indent=1, sort_keys=True).encode())
