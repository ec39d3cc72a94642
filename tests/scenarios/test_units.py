"""What the agent says of units is what systemctl says, without systemctl, in every state that a unit can have."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from control import Control

from roles.kit.wire import READ, lines

SHOWN = ("LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload")
UNITS = {"runs": "/bin/sleep infinity", "fails": "/bin/false", "masked": "", "edited": "/bin/sleep infinity"}
NAMES = [f"nexus-test-{name}" for name in UNITS] + ["nexus-test-absent", "ssh", "systemd-sysctl.service", "epmd.socket"]
MAKE = "; ".join(
    f"printf '[Service]\\nExecStart={command}\\n' >/etc/systemd/system/nexus-test-{name}.service"
    for name, command in UNITS.items()
    if command
)
BEGIN = "systemctl start nexus-test-runs nexus-test-edited; systemctl start nexus-test-fails || true"
END = (
    "systemctl stop 'nexus-test-*'; rm -rf /etc/systemd/system/nexus-test-*; systemctl daemon-reload; "
    "systemctl reset-failed 'nexus-test-*' || true"
)
WITHOUT_SYSTEMCTL = f"sudo env PATH=/nowhere /usr/bin/python3 -ISc '{READ}'"


@pytest.fixture
def host(platform: Control) -> Iterator[str]:
    """A host with a unit that runs, one that failed, one that is masked, and one to edit."""
    name = "data1"
    platform.ssh(name, "sudo sh -e", f"{MAKE}; systemctl mask nexus-test-masked; systemctl daemon-reload; {BEGIN}")
    yield name
    platform.ssh(name, "sudo sh", END)


def shown(platform: Control, host: str) -> dict[str, dict[str, str]]:
    text = platform.ssh(host, f"systemctl show -p {','.join(SHOWN)} -- {' '.join(NAMES)}")
    blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in text.strip().split("\n\n")]
    return dict(zip(NAMES, blocks, strict=True))


def told(platform: Control, host: str) -> dict[str, dict[str, str]]:
    nothing: dict[str, list[str]] = {kind: [] for kind in ("paths", "packages", "users", "groups")}
    request = {"do": "probe", "units": NAMES, "states": {}, "checks": {}, **nothing}
    units = json.loads(platform.ssh(host, WITHOUT_SYSTEMCTL, "\n".join(lines(request)) + "\n"))["units"]
    return {name: {key: units[name][key] for key in SHOWN} for name in NAMES}


def test_the_agent_says_of_units_what_systemctl_says(platform: Control, host: str) -> None:
    before = told(platform, host)
    assert before == shown(platform, host)
    assert before["nexus-test-runs"]["ActiveState"] == "active"
    assert before["nexus-test-fails"]["ActiveState"] == "failed"
    assert before["nexus-test-masked"]["UnitFileState"] == "masked"
    assert before["nexus-test-absent"]["LoadState"] == "not-found"
    assert {unit["NeedDaemonReload"] for unit in before.values()} == {"no"}


@pytest.mark.parametrize(
    "edit",
    [
        "mkdir /etc/systemd/system/nexus-test-edited.service.d; "
        "echo >/etc/systemd/system/nexus-test-edited.service.d/10-new.conf",
        "echo '[Unit]' >>/etc/systemd/system/nexus-test-edited.service",
        "mkdir /run/systemd/system/nexus-test-.service.d; echo >/run/systemd/system/nexus-test-.service.d/10-all.conf",
    ],
    ids=["drop-in", "unit file", "drop-in of a prefix"],
)
def test_a_unit_file_that_systemd_has_not_read_is_told(platform: Control, host: str, edit: str) -> None:
    try:
        platform.ssh(host, "sudo sh -e", edit)
        found = told(platform, host)
        assert found["nexus-test-edited"]["NeedDaemonReload"] == "yes"
        assert found == shown(platform, host)
    finally:
        platform.ssh(host, "sudo rm -rf /run/systemd/system/nexus-test-.service.d")
