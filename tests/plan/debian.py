"""A private Debian for packages: the real dpkg and apt on copies of their data, with our own repository.

Packages here have no files, so nothing outside the copies changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from nexus.plan import diff
from nexus.plan.comparison import Differences
from nexus.plan.desired import Desired
from nexus.plan.kinds.package import Package
from nexus.transport import protocol
from nexus.transport.protocol import lines

KEPT = ("/var/lib/dpkg", "/var/lib/apt", "/var/cache/apt", "/etc/apt", "/var/log")
MOUNT = "mount -t overlay none -o lowerdir={place},upperdir={upper},workdir={work} {place}"


def packages(*names: str, update: bool = False) -> dict[str, Any]:
    """The step of a run that installs packages, or finishes an interrupted dpkg."""
    (request,) = Package.steps([{"name": name} for name in names], Differences())
    return {**request, "update": update}


class Debian:
    """Copies in a directory, and commands that see the copies in place of the machine's own data."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.repository = directory / "repository"
        self.repository.mkdir()
        mounts = ["mount -t tmpfs none /run"]
        for number, place in enumerate(KEPT):
            upper, work = directory / f"upper{number}", directory / f"work{number}"
            upper.mkdir()
            work.mkdir()
            mounts.append(MOUNT.format(place=place, upper=upper, work=work))
        self.before = " && ".join(mounts)
        self.source(f"deb [trusted=yes] file:{self.repository} ./\n")

    def works(self) -> bool:
        """Whether this machine allows such a test."""
        return os.geteuid() == 0 and not self.shell("command -v apt-get dpkg-deb", check=False).returncode

    def shell(self, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command that sees the copies."""
        argv = ["unshare", "--mount", "sh", "-c", f"{self.before} && {command}"]
        env = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False, env=env)
        assert not check or done.returncode == 0, done.stderr + done.stdout
        return done

    def source(self, text: str) -> None:
        """Write the only sources of apt, whatever the machine has."""
        parts, single = f"{self.directory}/upper3/sources.list.d", f"{self.directory}/upper3/sources.list"
        self.shell(
            "rm -rf /etc/apt/sources.list.d && mkdir -p /etc/apt/sources.list.d && : >/etc/apt/sources.list && "
            "echo 'APT::Sandbox::User \"root\";' >/etc/apt/apt.conf.d/99own"  # apt's user cannot read pytest's files
        )
        assert Path(parts).exists()
        assert Path(single).exists()
        Path(parts, "own.list").write_text(text)

    def package(self, name: str, version: str = "1.0", script: str = "", **fields: str) -> Path:
        """A package in the repository; `script` is run to configure it. Its maintainer's name is Latin-1."""
        place = self.directory / "build" / f"{name}-{version}" / "DEBIAN"
        place.mkdir(parents=True)
        about = {"Package": name, "Version": version, "Architecture": "all", **fields}
        text = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in about.items()).encode()
        text += "Maintainer: Jürgen Groß <j@example.org>\nDescription: a test\n".encode("latin-1")
        (place / "control").write_bytes(text)
        if script:
            (place / "postinst").write_text(f"#!/bin/sh\n{script}\n")
            (place / "postinst").chmod(0o755)
        built = self.repository / f"{name}_{version}_all.deb"
        subprocess.run(["dpkg-deb", "--build", str(place.parent), str(built)], check=True, capture_output=True)
        data = built.read_bytes()
        found = f"Filename: ./{built.name}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n\n"
        with (self.repository / "Packages").open("ab") as index:
            index.write(text + found.encode())
        return built

    def state(self, name: str) -> str:
        """The state of a package, as dpkg reports it."""
        told = self.shell(f"dpkg-query -W -f '${{Status}}' {name}", check=False).stdout
        return told.split()[-1] if told else ""

    def agent(self, request: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        """The agent, executing a request."""
        process = self.start(request)
        output, errors = process.communicate(timeout=120)
        return subprocess.CompletedProcess([], process.returncode, output, errors)

    def start(self, request: dict[str, Any]) -> subprocess.Popen[str]:
        """The agent, started with a request."""
        set_up = f'{self.before} && exec {os.path.realpath(sys.executable)} "$@"'
        command = protocol.COMMAND.replace("exec python3", f"exec unshare --mount sh -ec {shlex.quote(set_up)} sh")
        pipe = subprocess.PIPE
        process = subprocess.Popen(["sh", "-c", command], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        assert process.stdin
        process.stdin.write("\n".join(lines(request)) + "\n")
        process.stdin.close()
        process.stdin = None
        return process

    def probed(self, *names: str) -> dict[str, str]:
        """The answer of a probe about packages."""
        done = self.agent(diff.question([Desired(packages=names)]))
        assert done.returncode == 0, done.stderr
        found: dict[str, str] = json.loads(done.stdout)["packages"]
        return found

    def install(self, *names: str, update: bool = False) -> subprocess.CompletedProcess[str]:
        """The step of a run that installs packages."""
        return self.agent(packages(*names, update=update))
