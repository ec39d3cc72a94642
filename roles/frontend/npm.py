"""Node.js and npm on this machine: whether they are there, and installs of packages that several builds share."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.workstation import write_whole
from roles.frontend.build import directory
from roles.frontend.source import Source

NODE_LEAST = (20, 19)  # Vite needs it
FLAGS = ("--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1")
LINES = 12  # of a failed command that are shown


class NotHere(Exception):
    """Front ends cannot be built on this machine now; the text says what to do."""


def check() -> None:
    """NotHere if Node.js or npm is missing or too old."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise NotHere(f"{program} is not on this machine: install Node.js 20.19 or newer with npm")
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", said)[:2])
    if version < NODE_LEAST:
        raise NotHere(f"Node.js here is {said.strip() or 'broken'}: install 20.19 or newer")


def installed(env: Environment, source: Source) -> Path:
    """The folder with the packages of a front end, installed by its lock file; NotHere if npm cannot get them."""
    package = source.files.get("package.json")
    if package is None:
        raise OperatorError(f"{source.where} has no package.json, so it is not an application: remove `output` of it")
    lock = source.files.get("package-lock.json") or _lock(env, source, package)
    name = hashlib.sha256(package + lock).hexdigest()[:16]
    folder = directory(env) / "installs" / name
    if not (folder / "whole").exists():
        write_whole(folder / "package.json", package)
        write_whole(folder / "package-lock.json", lock)
        _npm(env, ["ci", *FLAGS], folder)
        write_whole(folder / "whole", "")
    return folder / "node_modules"


def _lock(env: Environment, source: Source, package: bytes) -> bytes:
    """The lock file of an application that ships none: the project's, or one that is made here once and kept."""
    ours = env.root / "group_data/locks" / f"{source.site.slug}.json"
    if ours.is_file():
        return ours.read_bytes()
    folder = directory(env) / "locks" / hashlib.sha256(package).hexdigest()[:16]
    made = folder / "package-lock.json"
    if not made.is_file():
        write_whole(folder / "package.json", package)
        _npm(env, ["install", "--package-lock-only", "--omit-lockfile-registry-resolved", *FLAGS], folder)
    return made.read_bytes()


def _npm(env: Environment, words: Sequence[str], folder: Path) -> None:
    registry = str(env.setting.frontend_npm_registry)
    given = [f"--registry={registry}"] if registry else []
    lines = command(env, ["npm", *words, *given], folder, {})
    if lines is not None:
        wrong = [line for line in lines if line.startswith("npm error") and not line.startswith("npm error A complete")]
        said = " ".join(line.removeprefix("npm error").strip() for line in wrong[:4]) or " ".join(lines[-2:])
        raise NotHere(f"npm cannot install their packages ({said}): make a registry of npm reachable")


def command(env: Environment, words: Sequence[str], folder: Path, variables: Mapping[str, str]) -> list[str] | None:
    """Run a command in a folder; None if it succeeds, else its last lines.

    Variables of the operator's own builds (VITE_...) do not reach it: a build is the same for everybody.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("VITE_")}
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env={**own, "SOURCE_DATE_EPOCH": "0", "NO_COLOR": "1", **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=int(env.setting.frontend_build_seconds),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [f"no end within {env.setting.frontend_build_seconds} s: raise frontend_build_seconds"]
    if done.returncode == 0:
        return None
    return [line for line in done.stdout.decode(errors="replace").splitlines() if line.strip()][-LINES:]
