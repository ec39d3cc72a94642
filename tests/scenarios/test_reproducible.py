"""Bundles and front ends have the same bytes on another Debian, made by another user at another place."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from control import PROJECT
from report import Figure

from nexus.provider.lab import base
from nexus.provider.lab.environment import load

PACKAGES = "git make nodejs npm python3-venv"
WAY_TO_PACKAGES = ("/etc/hosts", "/etc/resolv.conf", "/etc/pip.conf", "/etc/npmrc", "/usr/etc/npmrc")
SECONDS = 900

# Runs as root in namespaces of its own, so that no mount stays: $1 base, $2 upper, $3 work, $4 root.
ENTER = """\
mount -t overlay overlay -o lowerdir="$1",upperdir="$2",workdir="$3" "$4"
mount -t proc proc "$4/proc"
mount -t devtmpfs devtmpfs "$4/dev"
exec chroot "$4" /bin/sh -ec "$5"
"""
BUILD = f"""\
apt-get update -qq >&2
apt-get install -qq --no-install-recommends {PACKAGES} >&2
. /etc/os-release
echo "$VERSION_ID"
chown -R deploy: /home/deploy
cd /home/deploy/another/place
set -a; . /etc/environment; set +a
exec setpriv --reuid=deploy --regid=deploy --clear-groups env HOME=/home/deploy TZ=Asia/Tokyo sh -ec '
  umask 077
  make -s .venv/ready >&2
  exec .venv/bin/python -m tests.plan.products /home/deploy/builds'
"""


@pytest.mark.full
@pytest.mark.skipif(os.getuid() != 0, reason="mounts a file system")
def test_the_same_bytes_on_another_debian(tmp_path: Path, figure: Figure) -> None:
    here = tmp_path / "here"
    upper, work, root = (tmp_path / name for name in ("upper", "work", "root"))
    there = upper / "home/deploy/another/place"
    for directory in (there.parent, work, root):
        directory.mkdir(parents=True)
    for place in (here, there):
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", PROJECT, place], check=True)
    for file in map(Path, WAY_TO_PACKAGES):
        if file.is_file():
            (upper / file.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, upper / file.relative_to("/"))

    lab = load("lab")
    system = base.ensure(lab.machine_directory, lab.settings)
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", ENTER, "enter"]
    other = output([*command, str(system), *map(str, (upper, work, root)), BUILD], tmp_path)
    version, products = other.splitlines()
    own = json.loads(output([sys.executable, "-m", "tests.plan.products", str(tmp_path / "builds")], here))

    assert json.loads(products) == own
    assert len(own) == 4 + 16
    figure("products with the same bytes on this machine and on Debian", f"{len(own)} on {version}")


def output(command: list[str], place: Path) -> str:
    """What a command prints; AssertionError with its last errors if it fails."""
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
