"""Every host is updated and rebooted in turn, under load; a host that does not come back; a run that is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Figure
from control import Control, Outcome, ended
from database import Database
from http_load import Requests
from load import Load
from redis_writes import Writes, agreed, longest_gap, loss

from nexus.provider.lab.machine import wait_until

DEPLOY = "deploys/update.py"
PACKAGE, OLD, NEW = "nexus-toy", "1.0", "2.0"
TOY = {"packages": PACKAGE, "reboot": "always", "update_lists_seconds": 0}
FAILED_SHARE = 0.0005  # of GETs
UNANSWERED_SECONDS = 300  # a run that waits for a lost host ends by then
RETURN_SECONDS = 60
BACK_SECONDS = 120
MOVE = re.compile(r"(Switch (?:PostgreSQL|Redis \w+) over|lead etcd instead)")
# A repository of one package, below /var/tmp: it outlasts the reboot. There is no dpkg-scanpackages.
REPOSITORY = f"""set -e
rm -rf /var/tmp/toy; mkdir -p /var/tmp/toy/repository; cd /var/tmp/toy
for version in {OLD} {NEW}; do
  mkdir -p tree/DEBIAN
  cat >tree/DEBIAN/control <<END
Package: {PACKAGE}
Version: $version
Architecture: all
Maintainer: toy <toy@localhost>
Description: a package without content
END
  dpkg-deb --build tree {PACKAGE}_$version.deb >/dev/null
done
mv {PACKAGE}_{NEW}.deb repository/
cd repository
file={PACKAGE}_{NEW}.deb
{{ dpkg-deb -f $file; echo "Filename: ./$file"; echo "Size: $(stat -c %s $file)"
  echo "SHA256: $(sha256sum $file | cut -d' ' -f1)"; }} >Packages
echo 'deb [trusted=yes] file:/var/tmp/toy/repository ./' >/etc/apt/sources.list.d/toy.list
dpkg -i /var/tmp/toy/{PACKAGE}_{OLD}.deb >/dev/null
"""
REMOVED = f"dpkg -P {PACKAGE}; rm -rf /var/tmp/toy /etc/apt/sources.list.d/toy.list; apt-get update -q"


@pytest.fixture(scope="module")
def toys(sound: Control) -> Iterator[Control]:
    """The environment with an old package of ours on every host, a newer one in a repository, and fresh backups."""
    done = sound.run(deploy="deploys/backup.py")
    assert done.status == 0, done.end
    sound.everywhere(lambda name: sound.ssh(name, "sudo sh -s", REPOSITORY))
    yield sound
    sound.everywhere(lambda name: sound.ssh(name, "sudo sh -s", REMOVED, 180))


def version(control: Control, name: str) -> str:
    return control.ssh(name, f"dpkg-query -W -f '${{Version}}' {PACKAGE}").strip()


def boot(control: Control, name: str) -> str:
    return control.ssh(name, "cat /proc/sys/kernel/random/boot_id")


def boots(control: Control, group: str) -> dict[str, str]:
    return control.everywhere(lambda name: boot(control, name), control.group(group))


def availability(control: Control, name: str) -> str:
    """Whether a node takes tasks, as another manager lists it."""
    other = next(one for one in control.group("app") if one != name)
    form = "{{.Hostname}} {{.Availability}}"
    rows = control.ssh(other, f"sudo docker node ls --format '{form}'").splitlines()
    return dict(row.split() for row in rows)[name]


def updated(control: Control, group: str) -> Outcome:
    """A run that updates and reboots all hosts of a group, one after the other."""
    before = boots(control, group)
    done = control.run(deploy=DEPLOY, data={**TOY, "group": group})
    assert done.status == 0, done.end
    after = boots(control, group)
    assert [name for name in after if after[name] == before[name]] == []
    assert {version(control, name) for name in after} == {NEW}
    return done


def test_a_dry_run_names_each_host(control: Control) -> None:
    done = control.run("--dry", deploy=DEPLOY, data={"reboot": "always"})
    assert done.status == 0, done.end
    for name in control.names:
        assert re.search(rf"would \d+/\d+: Update {name}: .*then reboot it", done.output), done.end
    assert len(MOVE.findall(done.output)) == 0
    assert done.output.count("PostgreSQL moves to") <= 1


@pytest.mark.full
def test_data_hosts_are_rebooted_without_a_lost_write(toys: Control, database: Database, figure: Figure) -> None:
    writes = Writes(toys)
    with ThreadPoolExecutor(1) as pool, Load(toys, 900) as load, Requests(toys, "/api/sessions/", "session-mgr") as web:
        into_redis = writes.begin(pool, 600)
        time.sleep(8)
        done = updated(toys, "data")
    written = load.written()
    assert len(written.acknowledged) > 1000
    assert load.lost(written) == []
    redis = into_redis.result()
    assert loss(writes, redis) == []
    _count(web, figure, "data hosts")
    figure("update: data hosts, the run", done.seconds)
    figure("update: data hosts, acknowledged writes", len(written.acknowledged))
    figure("update: data hosts, PostgreSQL's longest gap", written.longest_gap())
    figure("update: data hosts, Redis's longest gap", longest_gap(redis["acknowledged"]))
    moves = MOVE.findall(done.output)
    assert {move: moves.count(move) for move in moves if moves.count(move) > 1} == {}
    assert wait_until(lambda: agreed(toys), BACK_SECONDS, pause=1)


@pytest.mark.full
def test_app_hosts_are_rebooted_under_requests(toys: Control, figure: Figure) -> None:
    with Requests(toys, "/api/sessions/", "session-mgr") as web:
        time.sleep(5)
        done = updated(toys, "app")
    _count(web, figure, "app hosts")
    figure("update: app hosts, the run", done.seconds)
    assert {availability(toys, name) for name in toys.group("app")} == {"Active"}


@pytest.mark.full
@pytest.mark.parametrize("group", ["edge", "ops"])
def test_a_host_without_another_is_rebooted(toys: Control, group: str, figure: Figure) -> None:
    done = updated(toys, group)
    figure(f"update: {group} hosts, the run", done.seconds)
    if len(toys.group(group)) == 1:
        assert f"{toys.group(group)[0]} is the only host of" in done.output


@pytest.mark.full
def test_a_host_that_does_not_come_back(toys: Control, figure: Figure) -> None:
    """It takes tasks again at once, the others stay as they are, and the same command continues with it."""
    lost, other = toys.group("app")[1], toys.group("app")[2]
    before = boot(toys, other)
    data = {**TOY, "host": lost, "update_return_seconds": RETURN_SECONDS}
    running = toys.start(deploy=DEPLOY, data=data)
    host = toys.host(lost)
    began = time.monotonic()
    try:
        assert wait_until(lambda: not host.answers(), 600, pause=1)  # more often, sshd would refuse this address
        host.kill()
        began = time.monotonic()
        status, output = ended(running, UNANSWERED_SECONDS)
        figure("update: a host did not come back, until the run ended", time.monotonic() - began)
        assert time.monotonic() - began < UNANSWERED_SECONDS
        assert status not in (0, None), output[-3000:]
        assert f"{lost} was rebooted and does not answer after {RETURN_SECONDS} s" in output
        assert availability(toys, lost) == "Active"
        assert boot(toys, other) == before
    finally:
        host.start()
    assert wait_until(host.answers, BACK_SECONDS, pause=1)
    toys.wait_healthy(BACK_SECONDS)
    again = toys.run(deploy=DEPLOY, data=data)
    assert again.status == 0, again.end
    assert f"Update {lost}: an earlier update stopped there" in again.output
    assert record(toys, lost)["step"] == "done"


@pytest.mark.full
def test_the_controller_is_killed_in_between(toys: Control) -> None:
    """The next run, of another deploy, says so, and the same command brings the host back."""
    name = toys.group("app")[1]
    data = {**TOY, "host": name}
    running = toys.start(deploy=DEPLOY, data=data)
    assert wait_until(lambda: availability(toys, name) == "Drain", 300, pause=0.2)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    said = toys.run(deploy="deploys/restart.py", data={"service": "glitch"})
    assert said.status == 0, said.end
    assert re.search(rf"{name}: .*an update of this host began at .* the host was drained for it", said.output), (
        said.end
    )
    again = toys.run(deploy=DEPLOY, data=data)
    assert again.status == 0, again.end
    assert f"Update {name}: an earlier update stopped there" in again.output
    assert availability(toys, name) == "Active"
    assert record(toys, name)["step"] == "done"


def record(control: Control, name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(control.ssh(name, "sudo cat /var/lib/nexus-cos/update.json"))
    return found


def _count(web: Requests, figure: Figure, what: str) -> None:
    """GETs alone: a POST is not repeated by the router."""
    gets = [one for one in web.answered if one.method == "GET"]
    failed = [one for one in gets if not 200 <= one.status < 300]
    figure(f"update: {what}, GETs", len(gets))
    figure(f"update: {what}, failed GETs", len(failed))
    assert len(gets) > 1000
    assert len(failed) <= FAILED_SHARE * len(gets), web.told()
