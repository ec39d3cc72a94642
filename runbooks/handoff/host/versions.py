"""Runs on every host: the versions of its system, its kernel and of packages. Changes nothing."""

import os
import subprocess
from typing import Any

SYSTEM, KERNEL = "system", "kernel"  # apart from packages
FORMAT = "${Package}\\t${Version}\\t${db:Status-Status}\\n"


def probe(names: list[str], context: dict[str, Any]) -> dict[str, Any]:
    """{name: version} of installed packages, and the names of system and kernel under SYSTEM and KERNEL."""
    return {**_versions(context["packages"]), SYSTEM: _system(), KERNEL: os.uname().release}


def _versions(packages: list[str]) -> dict[str, str]:
    if not packages:
        return {}  # without names it would list all
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", FORMAT, *packages], capture_output=True, text=True, errors="replace"
    )
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return {name: version for name, version, state in lines if state == "installed"}


def _system() -> str:
    with open("/etc/os-release", errors="replace") as stream:
        pairs = dict(line.rstrip("\n").split("=", 1) for line in stream if "=" in line)
    return pairs.get("PRETTY_NAME", "").strip('"')
