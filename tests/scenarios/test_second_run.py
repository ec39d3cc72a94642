"""A run without differences does nothing: no change, no restart, and no byte written to a host's disk."""

from __future__ import annotations

import time

from comparison import differences
from conftest import Figure
from control import Control
from disk import Disk

from nexus.provider.lab.machine import wait_until

# Programs that write at any time; a write that a run causes occurs in each attempt.
STORES = ("/var/lib/etcd/", "/var/lib/postgresql/", "/var/lib/redis/", "/var/lib/rabbitmq/", "/var/lib/seaweedfs/")
# Units that timers start have private directories below /var/tmp.
LIVELY = (*STORES, "/var/spool/pgbackrest/", "/var/lib/prometheus/", "/var/log/", "/var/tmp/")
BACKUP_SECONDS, QUIET_SECONDS = 300, 90
ATTEMPTS = 8  # a vacuum of all databases takes as long as several runs


def test_a_second_run_changes_nothing(platform: Control, figure: Figure) -> None:
    before = platform.identity()
    done = platform.converged()
    figure("lab: run without changes", done.seconds)
    assert done.changes == []
    assert done.closing[0] == 0
    assert differences(before, platform.identity()) == []


def test_a_second_run_writes_nothing_that_idle_hosts_do_not(platform: Control) -> None:
    """The test logs in to idle hosts and checks their services' health as often as a run does: both leave lines
    in the journal and in the logs of the stores."""
    disks = {name: Disk(platform.host(name).upper) for name in platform.names}
    seconds = platform.converged().seconds
    extra: dict[str, set[str]] = {}  # of each attempt so far
    for _ in range(ATTEMPTS):
        assert wait_until(lambda: quiet(platform), BACKUP_SECONDS, pause=2), "backups never end"
        written_out(platform)
        before = last_backups(platform)
        idle = [_changed_by_waiting(platform, disks, seconds)]
        _look(disks)
        platform.converged()
        written = _look(disks)
        idle.append(_changed_by_waiting(platform, disks, seconds))
        if last_backups(platform) != before:
            continue  # a backup began before the comparison ended
        found = {name: written[name] - idle[0][name] - idle[1][name] for name in disks}
        steady = {name: {path for path in paths if not _lively(path)} for name, paths in found.items()}
        extra = {name: (found[name] & extra.get(name, found[name])) | steady[name] for name in disks}
        if any(steady.values()) or not any(extra.values()):
            break
    assert extra, "a backup began in each comparison"
    assert {name: sorted(paths) for name, paths in extra.items() if paths} == {}


def quiet(platform: Control) -> bool:
    """Whether no host makes a backup now or soon: a backup makes every store write."""
    ask = (
        "systemctl is-active nexus-cos-backup.service || true; "
        "systemctl show -P NextElapseUSecRealtime nexus-cos-backup.timer | xargs -r -d '\\n' -I@ date -d @ +%s"
    )

    def one(name: str) -> bool:
        state, *moments = platform.ssh(name, ask).split()
        soon = [moment for moment in moments if 0 <= float(moment) - time.time() < QUIET_SECONDS]
        return state == "inactive" and not soon  # a host without the timer reports a time in the past

    return all(platform.everywhere(one).values())


def last_backups(platform: Control) -> dict[str, str]:
    """When the timer of each host last started a backup."""
    ask = "systemctl show -P LastTriggerUSec nexus-cos-backup.timer"
    return platform.everywhere(lambda name: platform.ssh(name, ask))


def written_out(platform: Control) -> None:
    """Have PostgreSQL write now what it would write over the next minutes, file by file."""
    command = "cd / && sudo -u postgres psql -qh /run/postgresql -c checkpoint"
    platform.everywhere(lambda name: platform.ssh(name, command), platform.group("postgresql"))


def _lively(path: str) -> bool:
    """Whether a path, or what lies in it, may change at any time: a renamed file changes its directory, too."""
    return f"{path}/".startswith(LIVELY)


def _look(disks: dict[str, Disk]) -> dict[str, set[str]]:
    return {name: disk.changed() for name, disk in disks.items()}


def _changed_by_waiting(platform: Control, disks: dict[str, Disk], seconds: float) -> dict[str, set[str]]:
    _look(disks)
    began = time.monotonic()
    platform.everywhere(lambda name: platform.ssh(name, "sudo true; sudo true; sudo true"))
    assert platform.unhealthy() == {}
    time.sleep(max(0.0, seconds - (time.monotonic() - began)))
    return _look(disks)
