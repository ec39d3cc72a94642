"""Packages in every state, and foreign bytes: finished or named, never removed, never an obstacle."""

from __future__ import annotations

import pytest
from control import Control, Outcome
from fault import BASE, drifted, fault, row, stopped, until

from nexus.provider import lab

REASON = lab.reason_lab_cannot_run()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"no lab on this machine: {REASON}")


LATIN = r"""
cp -a /etc/passwd /etc/passwd.nexus-test
printf 'nexus-j\374rgen:x:64999:4:J\374rgen Gro\337:/nonexistent:/usr/sbin/nologin\n' >>/etc/passwd
printf 'A=J\374rgen\n' >/run/nexus-test.env
cat >/etc/systemd/system/nexus-test-latin.service <<'END'
[Service]
Type=oneshot
EnvironmentFile=-/run/nexus-test.env
ExecStart=/bin/sh -c 'printf "J\\374rgen Gro\\337\\n" >&2; exit 1'
END
mkdir -p /srv/nexus-test && printf x >"/srv/nexus-test/$(printf 'J\374rgen')"
directory=$(mktemp -d); mkdir -p $directory/DEBIAN
printf 'Package: nexus-test-latin\nVersion: 1\nArchitecture: all\nMaintainer: J\374rgen <j@x.org>\nDescription: x\n' \
    >$directory/DEBIAN/control
dpkg-deb -b $directory $directory.deb >/dev/null && dpkg -i $directory.deb >/dev/null
rm -rf $directory $directory.deb
systemctl daemon-reload; systemctl start nexus-test-latin 2>/dev/null || true
"""
NO_LATIN = """
dpkg -P nexus-test-latin >/dev/null; mv /etc/passwd.nexus-test /etc/passwd
rm -rf /etc/systemd/system/nexus-test-latin.service /srv/nexus-test /run/nexus-test.env
systemctl daemon-reload; systemctl reset-failed nexus-test-latin || true
"""


def test_foreign_bytes_do_not_matter(sound: Control) -> None:
    host = sound.group("ops")[0]
    with fault(sound, host, LATIN, NO_LATIN):
        done = sound.run()
        assert (done.status, done.changes) == (0, []), done.end
        row(sound, "nexus-test-latin.service")


def unpack(name: str, script: str = "") -> str:
    """Commands that leave a package unpacked."""
    body = f"printf '#!/bin/sh\\n{script}\\n' >$d/DEBIAN/postinst; chmod 755 $d/DEBIAN/postinst" if script else "true"
    control = f"Package: {name}\\nVersion: 1\\nArchitecture: all\\nMaintainer: T <t@example.org>\\nDescription: x\\n"
    build = f"d=$(mktemp -d); mkdir -p $d/DEBIAN; printf '{control}' >$d/DEBIAN/control; {body}"
    return f"{build}; dpkg-deb -b $d $d.deb >/dev/null; dpkg --unpack $d.deb >/dev/null; rm -rf $d $d.deb"


GO = "/run/nexus-test-go"
HOLD = "cat >/run/hold.py; systemd-run -q --unit=nexus-test-holder python3 /run/hold.py"
HOLDER = """
import fcntl, os, time
handle = os.open("/var/lib/dpkg/lock-frontend", os.O_RDWR)
fcntl.lockf(handle, fcntl.LOCK_EX)
end = time.time() + 60
while time.time() < end and not os.path.exists("/run/nexus-test-go"):
    time.sleep(0.1)
"""


def test_leftovers_of_dpkg_and_killed_runs_are_finished(sound: Control) -> None:
    host = sound.group("ops")[0]
    left = "/etc/sysctl.d/.nexus-4194304-00"  # like a process with an unused process id
    script = f"{unpack('nexus-test')}; touch {left}"
    undo = f"dpkg -P nexus-test >/dev/null; rm -f {left} {GO}; systemctl stop nexus-test-holder 2>/dev/null; true"
    with fault(sound, host, script, undo):
        drifted(sound, f"{host}: base: package nexus-test: unpacked", f"file {left}: left by a run")
        sound.ssh(host, f"sudo sh -ec '{HOLD}'", HOLDER)
        running = sound.start(deploy=BASE)
        assert running.stdout
        output = until(running.stdout, "waiting up to 300 s for ")
        sound.ssh(host, f"sudo touch {GO}")
        rest, _ = running.communicate(timeout=120)
        assert running.returncode == 0, output + rest
        assert "python3 /run/hold.py (process " in output
        done = Outcome(0, output + rest, 0)
        assert sorted(done.changes) == [
            f"leftovers: file {left}: left by a run that was killed, removed",
            "packages: package nexus-test: unpacked, to be configured",
        ]
        assert sound.run(deploy=BASE).changes == []


def test_a_foreign_package_that_cannot_be_configured(sound: Control) -> None:
    host = sound.group("ops")[0]
    script = unpack("nexus-test", "echo its own trouble >&2; exit 3")
    with fault(sound, host, script, "dpkg -P --force-all nexus-test >/dev/null"):
        said = ("nexus-test is half-configured", "its own trouble", "Nothing was removed")
        stopped(sound.run(deploy=BASE), *said)
