"""A run that has nothing to do does nothing: no change, no restart, and not a byte on any host's disk."""

from __future__ import annotations

import time

from comparison import differences
from conftest import Figure
from control import Control
from tree import Disk

from nexus.provider.lab.machine import wait_until

# Programs that write by themselves and when they like; what a run causes there comes back with each run.
STORES = ("/var/lib/etcd/", "/var/lib/postgresql/", "/var/lib/redis/", "/var/lib/rabbitmq/", "/var/lib/seaweedfs/")
LIVELY = (*STORES, "/var/spool/pgbackrest/", "/var/lib/prometheus/", "/var/log/")
BACKUP_SECONDS, QUIET_SECONDS = 300, 30
ATTEMPTS = 8  # a vacuum of all databases goes on for as long as several runs take


def test_a_second_run_changes_nothing(platform: Control, figure: Figure) -> None:
    before = platform.identity()
    done = platform.converged()
    figure("lab: run with nothing to do", done.seconds)
    assert done.changes == []
    assert done.closing[0] == 0
    assert differences(before, platform.identity()) == []


def test_a_second_run_writes_nothing_that_idle_hosts_do_not(platform: Control) -> None:
    """Idle hosts are logged in to and their services asked for health as often as a run does it: both leave
    lines in the journal and in the logs of the stores that answer."""
    disks = {name: Disk(platform.host(name).upper) for name in platform.names}
    seconds = platform.converged().seconds
    extra: dict[str, set[str]] = {}
    for _ in range(ATTEMPTS):
        assert wait_until(lambda: quiet(platform), BACKUP_SECONDS, pause=2), "backups go on and on"
        written_out(platform)
        idle = [_changed_by_waiting(platform, disks, seconds)]
        _look(disks)
        platform.converged()
        written = _look(disks)
        idle.append(_changed_by_waiting(platform, disks, seconds))
        extra = {name: written[name] - idle[0][name] - idle[1][name] for name in disks}
        if not any(extra.values()) or not all(_lively(path) for paths in extra.values() for path in paths):
            break
    assert {name: sorted(paths) for name, paths in extra.items() if paths} == {}


def quiet(platform: Control) -> bool:
    """Whether no host makes a backup, by which every store writes, nor will in the next moments."""
    ask = (
        "systemctl is-active nexus-cos-backup.service || true; "
        "systemctl show -P NextElapseUSecRealtime nexus-cos-backup.timer | xargs -r -d '\\n' -I@ date -d @ +%s"
    )

    def one(name: str) -> bool:
        state, *moments = platform.ssh(name, ask).split()
        soon = [moment for moment in moments if 0 <= float(moment) - time.time() < QUIET_SECONDS]
        return state == "inactive" and not soon  # a host without the timer names a moment that is over

    return all(platform.everywhere(one).values())


def written_out(platform: Control) -> None:
    """Have PostgreSQL write at once what it would spread over the next minutes, file after file."""
    command = "cd / && sudo -u postgres psql -qh /run/postgresql -c checkpoint"
    platform.everywhere(lambda name: platform.ssh(name, command), platform.group("postgresql"))


def _lively(path: str) -> bool:
    return path.startswith(LIVELY)


def _look(disks: dict[str, Disk]) -> dict[str, set[str]]:
    return {name: disk.changed() for name, disk in disks.items()}


def _changed_by_waiting(platform: Control, disks: dict[str, Disk], seconds: float) -> dict[str, set[str]]:
    _look(disks)
    began = time.monotonic()
    platform.everywhere(lambda name: platform.ssh(name, "sudo true; sudo true; sudo true"))
    assert platform.unhealthy() == {}
    time.sleep(max(0.0, seconds - (time.monotonic() - began)))
    return _look(disks)
