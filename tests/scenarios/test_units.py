"""The agent reports of units what systemctl reports, without systemctl, in every state of a unit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from control import Control

from nexus.plan import diff
from nexus.plan.desired import Desired, File, Unit
from nexus.transport.protocol import READ, lines
from tests.plan.step_request import step

SHOWN = ("LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload")
UNITS = {"runs": "/bin/sleep 1d", "fails": "/bin/false", "masked": "", "edited": "/bin/sleep 1d", "off": "/bin/true"}
# Units that are disabled and not loaded, one with two names, and an instance of a missing template.
OTHERS = ["apt-daily.timer", "apt-daily-upgrade.timer", "sshd", "autovt@tty9.service", "redis@none"]
NAMES = [*(f"nexus-test-{name}" for name in UNITS), "nexus-test-absent", "ssh", "systemd-sysctl.service"]
NAMES += ["epmd.socket", *OTHERS]
MAKE = "; ".join(
    f"printf '[Service]\\nExecStart={command}\\n' >/etc/systemd/system/nexus-test-{name}.service"
    for name, command in UNITS.items()
    if command
)
BEGIN = "systemctl start nexus-test-runs nexus-test-edited; systemctl start nexus-test-fails || true"
END = (
    "systemctl disable nexus-test-first nexus-test-second; systemctl stop 'nexus-test-*'; "
    "rm -rf /etc/systemd/system/nexus-test-*; systemctl daemon-reload; "
    "systemctl reset-failed 'nexus-test-*' || true"
)
WITH_SYSTEMCTL = f"sudo /usr/bin/python3 -ISc '{READ}'"
WITHOUT_SYSTEMCTL = f"sudo env PATH=/nowhere /usr/bin/python3 -ISc '{READ}'"


@pytest.fixture
def host(platform: Control) -> Iterator[str]:
    """A host with a running unit, a failed one, a masked one, and one to edit."""
    name = "data1"
    platform.ssh(name, "sudo sh -e", f"{MAKE}; systemctl mask nexus-test-masked; systemctl daemon-reload; {BEGIN}")
    yield name
    platform.ssh(name, "sudo sh", END)


def shown(platform: Control, host: str) -> dict[str, dict[str, str]]:
    text = platform.ssh(host, f"systemctl show -p {','.join(SHOWN)} -- {' '.join(NAMES)}")
    blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in text.strip().split("\n\n")]
    return dict(zip(NAMES, blocks, strict=True))


def told(platform: Control, host: str) -> dict[str, dict[str, str]]:
    request = diff.question([Desired(units=tuple(map(Unit, NAMES)))])
    units = json.loads(platform.ssh(host, WITHOUT_SYSTEMCTL, "\n".join(lines(request)) + "\n"))["units"]
    return {name: {key: units[name][key] for key in SHOWN} for name in NAMES}


def test_the_agent_and_systemctl_agree_about_units(platform: Control, host: str) -> None:
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
def test_a_unit_file_that_systemd_has_not_read_is_reported(platform: Control, host: str, edit: str) -> None:
    try:
        platform.ssh(host, "sudo sh -e", edit)
        found = told(platform, host)
        assert found["nexus-test-edited"]["NeedDaemonReload"] == "yes"
        assert found == shown(platform, host)
    finally:
        platform.ssh(host, "sudo rm -rf /run/systemd/system/nexus-test-.service.d")


RELOADS = "sudo journalctl -q -b -t systemd -o cat | grep -c '^Reloading finished' || true"
FIRST, SECOND = "nexus-test-first", "nexus-test-second"


def test_systemd_reloads_once_and_only_for_new_units(platform: Control, host: str) -> None:
    text = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n"
    fence = json.loads(platform.ssh(host, "sudo cat /var/lib/nexus-cos/fence.json"))["run"]
    files = step(*(File(f"/etc/systemd/system/{name}.service", text) for name in (FIRST, SECOND)), fence=fence)
    units = step(Unit(FIRST), Unit(SECOND), fence=fence, reread=True)

    def carried_out(request: dict[str, Any]) -> int:
        before = int(platform.ssh(host, RELOADS))
        platform.ssh(host, WITH_SYSTEMCTL, "\n".join(lines(request)) + "\n")
        return int(platform.ssh(host, RELOADS)) - before

    assert carried_out(files) == 0
    assert carried_out(units) == 1
    for name in (FIRST, SECOND):
        assert platform.ssh(host, f"systemctl is-active {name}; systemctl is-enabled {name}").split() == [
            "active",
            "enabled",
        ]
    again = {**units, "items": [{**units["items"][0], "enable": False}], "reread": False}
    assert carried_out(again) == 0
