"""Obstacles from a host's kernel or administrator: refused before the first change, with the fix."""

from __future__ import annotations

import pytest
from control import Control
from fault import BASE, MONITORING, fault, refused

from nexus.provider import lab

REASON = lab.reason_lab_cannot_run()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no lab on this machine: {REASON}")
EXPORTER = "/etc/default/prometheus-node-exporter"
LOGS = "/var/log/nexus-cos"
HEADER = {"nginx_hsts_seconds": 86400}  # a setting that changes files of Nginx


READ_ONLY = "mount --bind /etc/nginx /etc/nginx && mount -o remount,bind,ro /etc/nginx"


def test_a_read_only_mount_over_managed_files(sound: Control) -> None:
    edge = sound.group("edge")[0]
    with fault(sound, edge, READ_ONLY, "umount /etc/nginx"):
        done = sound.run(deploy="deploys/edge.py", data=HEADER)
        refused(done, f"{edge}: nginx cannot be converged", "mount -o remount,rw /etc/nginx, then rerun")
        assert sound.run(deploy="deploys/edge.py").changes == []


FLAG = (
    "python3 -c 'import fcntl, os, struct; "
    f'fcntl.ioctl(os.open("{EXPORTER}", os.O_RDONLY), 0x40086602, struct.pack("<Q", {{flag}}))'
    "'"
)


def test_an_immutable_file(sound: Control) -> None:
    host = sound.group("ops")[0]
    script = (
        f"echo '# by hand' >>{EXPORTER}; {FLAG.format(flag='0x10')}"  # like `chattr +i`, which may be missing on hosts
    )
    with fault(sound, host, script, FLAG.format(flag="0")):
        said = f"{EXPORTER} cannot be changed, because {EXPORTER} is immutable: chattr -i {EXPORTER}, then rerun"
        refused(sound.run(deploy=MONITORING), f"{host}: exporter cannot be converged", said)
    done = sound.run(deploy=MONITORING)
    assert [change for change in done.changes if f"file {EXPORTER}" in change], done.end


SMALL = "mount -t tmpfs -o size=1m,nr_inodes=1 none /etc/systemd/journald.conf.d"


def test_no_room_for_a_planned_file(sound: Control) -> None:
    host = sound.group("ops")[0]
    with fault(sound, host, SMALL, "umount /etc/systemd/journald.conf.d"):
        said = "no inodes are left on the file system of /etc/systemd/journald.conf.d"
        refused(sound.run(deploy=BASE), f"{host}: base cannot be converged", said)


def test_a_mount_point_in_the_place_of_a_file(sound: Control) -> None:
    host = sound.group("ops")[0]
    script = f"echo other >/run/other; mount --bind /run/other {EXPORTER}"
    with fault(sound, host, script, f"umount {EXPORTER}; rm -f /run/other"):
        refused(sound.run(deploy=MONITORING), f"{EXPORTER} is a mount point", f"umount {EXPORTER}, then rerun")


def test_a_masked_unit_is_refused(sound: Control) -> None:
    host = sound.group("data")[-1]
    unit = "prometheus-node-exporter"
    undo = f"systemctl unmask --runtime {unit}; systemctl start {unit}"
    with fault(sound, host, f"systemctl mask --runtime {unit}", undo):
        refused(sound.run(), f"{host}: exporter cannot be converged: unit {unit} is masked", f"systemctl unmask {unit}")


LINKED = f"mv {LOGS} /srv/logs; ln -s logs /srv/again; ln -s ../../srv/again {LOGS}"
PLAIN = f"rm -f {LOGS} /srv/again; mv /srv/logs {LOGS}; chgrp adm {LOGS}; chmod 750 {LOGS}"


def test_a_directory_that_is_a_link_to_another_disk(sound: Control) -> None:
    host = sound.group("ops")[0]
    with fault(sound, host, LINKED, PLAIN):
        assert sound.run(deploy=BASE).changes == []
        sound.ssh(host, "sudo chmod 700 /srv/logs")
        done = sound.run(deploy=BASE)
        assert done.changes == [f"base: directory {LOGS}: 0700 root:adm -> 0750 root:adm"], done.end
        assert sound.ssh(host, f"stat -L -c %a {LOGS}; sudo readlink {LOGS}").split() == ["750", "../../srv/again"]
        sound.ssh(host, "sudo mv /srv/logs /srv/away")
        refused(sound.run(deploy=BASE), f"{LOGS} should be a directory but is a link", "which does not exist")
        sound.ssh(host, "sudo mv /srv/away /srv/logs")
