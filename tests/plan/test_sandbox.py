"""Our own units may do little besides their work: systemd's own figure of exposure is at most 4.0 for each."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nexus.plan.desired import File
from roles.table import ROLES
from tests.plan.environments import environment

EXPOSURE = re.compile(r"Overall exposure level for \S+: ([\d.]+)")
MOST = 4.0
GROUPS = {"edge1": "edge", "app1": "app", "data1": "etcd postgresql redis rabbitmq", "ops1": "ops storage"}
# Units that must change the host itself, and why no sandbox is planned for them
OPEN = {
    "nexus-acme-edge@.service": "has Nginx check and reload its configuration",
    "nexus-certificate.service": "restarts units, before the first of them starts",
    "nexus-cos-backup.service": "runs programs of stores as their accounts",
    "nexus-cos-restore-test.service": "runs a second server of each store",
    "nexus-firewall.service": "sets rules of the kernel before file systems are mounted",
    "nexus-mounts.service": "changes mounts of the host",
    "nexus-security-scan.service": "looks at everything, as Lynis does",
}


def own_units(directory: Path) -> dict[str, File]:
    """Unit files that roles write, by name."""
    env = environment(directory, GROUPS, acme_directories=["https://authority.example/directory"])
    files = [file for host in env.hosts for role in ROLES.of(host) for file in ROLES.plan(role)(env, host).files]
    place = "/etc/systemd/system"
    return {
        Path(file.path).name: file
        for file in files
        if str(Path(file.path).parent) == place and file.path.endswith(".service")
    }


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_own_units_are_sandboxed(tmp_path: Path) -> None:
    found = own_units(tmp_path)
    assert OPEN.keys() <= found.keys()
    exposed = {name: _exposure(tmp_path, name, file) for name, file in found.items() if name not in OPEN}
    assert len(exposed) > 8
    assert {name: figure for name, figure in exposed.items() if figure > MOST} == {}


def _exposure(directory: Path, name: str, file: File) -> float:
    path = directory / name
    path.write_bytes(file.data)
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    figure = EXPOSURE.search(done.stdout)
    assert figure, f"{name}: {done.stderr}"
    return float(figure[1])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_knows_every_line(tmp_path: Path) -> None:
    for name, file in own_units(tmp_path).items():
        (tmp_path / name).write_bytes(file.data)
        command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        wrong = [line for line in done.stderr.splitlines() if str(tmp_path / name) in line and "Unknown" in line]
        assert wrong == []


@pytest.mark.parametrize("path", sorted(Path("templates").rglob("*.j2")), ids=str)
def test_units_that_hide_systemds_lines_show_their_own(path: Path) -> None:
    """Output has the level `info` unless the unit says otherwise, and would be hidden too."""
    lines = path.read_text().splitlines()
    assert ("LogLevelMax=notice" in lines) == ("SyslogLevel=notice" in lines)
