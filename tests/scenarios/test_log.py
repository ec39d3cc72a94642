"""Log lines of all hosts: none is lost, a request is found on its way, and the past is kept as long as promised."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
import uuid

import pytest
from conftest import Figure
from control import Control, Outcome
from log_writer import Writers

from nexus.provider.lab.machine import wait_until

LOGS, MONITORING = "deploys/logs.py", "deploys/monitoring.py"
UNITS = "nexus-log-store-tls.service systemd-journal-remote.socket systemd-journal-remote.service"
DIRECTORY = "/var/log/journal/remote"
FOUND_SECONDS = 2
RATE = 110  # lines a second, of each of 20 containers
DAY_SECONDS = 86400
MEGABYTES, FILE_MEGABYTES = 60, 10
SHARE = 1.05  # of the budget, at most


@pytest.fixture(scope="module")
def store(control: Control) -> str:
    return control.group("ops")[0]


def logs(control: Control, **data: str) -> Outcome:
    done = control.run(deploy=LOGS, data=data)
    assert done.status == 0, done.end
    return done


def request(control: Control) -> str:
    """The id of a request through the edge."""
    env = control.planned
    edge = env.group("edge")[0]
    trust = ssl.create_default_context(cadata=env.tls.certificate)
    trust.check_hostname = False  # the request goes to an address, under the domain's name
    connection = http.client.HTTPSConnection(edge.address, edge.setting.nginx_https_port, context=trust, timeout=10)
    connection.request("GET", "/api/sessions/log", headers={"Host": f"api.{env.setting.domain}"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.headers["X-Request-Id"]


def test_a_request_is_found_on_its_way(control: Control) -> None:
    name, edge = request(control), control.group("edge")[0]
    found: list[str] = []

    def whole() -> bool:
        output = logs(control, request=name).output
        found[:] = [line for line in output.splitlines() if f"requestId={name}" in line]
        return len(found) >= 3

    assert wait_until(whole, 30, pause=1), found
    assert [line for line in found if f"{edge} nginx info GET /api/sessions/log" in line]
    assert [line for line in found if f"{edge} router info" in line]
    assert [line for line in found if re.search(r" app\d session-mgr\.\d\.", line)]


def test_what_is_not_named_is_refused(control: Control) -> None:
    done = control.run(deploy=LOGS)
    assert done.status != 0
    assert "name what to look for" in done.output


def test_lines_wait_while_the_log_store_is_away(control: Control, store: str, full: bool, figure: Figure) -> None:
    seconds = 600 if full else 10
    with Writers(control, 6 if full else 3, 20) as writers:
        time.sleep(3)
        control.ssh(store, f"sudo systemctl stop {UNITS}")
        try:
            time.sleep(seconds)
        finally:
            control.ssh(store, f"sudo systemctl start {UNITS}")
        began = time.monotonic()
    found = writers.arrived()
    figure("logs: log store away, lines", sum(writers.written.values()))
    figure("logs: log store away, missing", found["missing"])
    figure("logs: until all had arrived", time.monotonic() - began)
    assert sum(writers.written.values()) > 20 * seconds
    assert found["missing"] == 0, found


@pytest.mark.full
def test_a_flood_loses_no_line(control: Control, figure: Figure) -> None:
    with Writers(control, 20, RATE) as writers:
        time.sleep(60)
    began = time.monotonic()
    found = writers.arrived(300)
    lines = sum(writers.written.values())
    figure(f"logs: flood of 20 containers, {20 * RATE} lines a second, lines", lines)
    figure("logs: flood, missing", found["missing"])
    figure("logs: flood, until all had arrived", time.monotonic() - began)
    assert found["missing"] == 0, found
    assert lines >= 2000 * 60


@pytest.mark.full
def test_a_host_that_restarts_sends_all_its_lines(control: Control, figure: Figure) -> None:
    host = control.group("edge")[0]
    mark = f"restart-{uuid.uuid4().hex[:8]}"
    write = f"for n in $(seq 1 2000); do echo {mark}-$n; done | systemd-cat -t nexus-check"
    control.ssh(host, f"{write}; sudo journalctl --sync; sudo systemctl --no-block reboot")
    search = f"sudo journalctl -q -o cat --file='{DIRECTORY}/logs*.journal' SYSLOG_IDENTIFIER=nexus-check"

    def arrived() -> int:
        count = f"{search} _HOSTNAME={host} | grep -o '^{mark}-[0-9]*' | sort -u | wc -l"
        return int(control.ssh(control.group("ops")[0], count))

    assert wait_until(lambda: arrived() == 2000, 180, pause=2), arrived()
    figure("logs: host restarted, missing", 2000 - arrived())
    control.wait_healthy(180)


@pytest.mark.full
def test_a_request_among_a_million_lines(control: Control, store: str, figure: Figure) -> None:
    write = (
        'seq 1 1000000 | awk \'{print "__REALTIME_TIMESTAMP=" 1700000000000000 + $1 * 1000;'
        ' print "_BOOT_ID=00000000000000000000000000000001"; print "_HOSTNAME=past"; print "SERVICE=flood";'
        ' print "REQUEST_ID=million-" $1; print "MESSAGE={\\"requestId\\":\\"million-" $1 "\\"}"; print ""}\''
    )
    path = f"{DIRECTORY}/logs@million.journal"
    try:
        control.ssh(store, f"{write} | sudo /usr/lib/systemd/systemd-journal-remote -o {path} -", seconds=600)
        search = f"sudo journalctl -q -o cat --file='{DIRECTORY}/logs*.journal' REQUEST_ID=million-500000"
        began = time.monotonic()
        found = control.ssh(store, search)
        seconds = time.monotonic() - began
        figure("logs: a request among a million lines", seconds)
        assert "million-500000" in found
        assert seconds < FOUND_SECONDS
    finally:
        control.ssh(store, f"sudo rm -f {path}")


@pytest.mark.full
def test_the_size_is_kept_and_the_past_is_found(control: Control, store: str, figure: Figure) -> None:
    small = {
        "log_store_megabytes_max": MEGABYTES,
        "log_store_file_megabytes": FILE_MEGABYTES,
        "log_store_pack_seconds": 5,
    }
    mark = uuid.uuid4().hex
    done = control.run(deploy=MONITORING, data=small)
    assert done.status == 0, done.end
    try:
        assert wait_until(lambda: used(control, store) <= MEGABYTES * 1e6, 120, pause=2), "what was there before stays"
        first, largest = "", 0
        for part in range(12):
            line = f'awk \'{{print "{mark} {part} " $1 " " rand() rand() rand() rand()}}\''
            control.ssh(store, f"seq 1 20000 | {line} | systemd-cat -t nexus-check")
            assert arrived(control, store, f"{mark} {part} 20000 ")
            first = first or request(control)  # in a file of the new size: an older one may exceed the budget alone
            largest = max(largest, used(control, store))
        figure("logs: largest share of the budget under a flood", largest / (MEGABYTES * 1e6))
        assert largest <= MEGABYTES * 1e6 * SHARE
        here = control.ssh(store, f"sudo journalctl -q -o cat --file='{DIRECTORY}/logs*.journal' REQUEST_ID={first}")
        assert here == "", "the flood was too small: the first line was not removed"
        assert f"requestId={first}" in logs(control, request=first).output
    finally:
        done = control.run(deploy=MONITORING)
        assert done.status == 0, done.end


def used(control: Control, store: str) -> int:
    """Bytes on the disk of all journals of the log store."""
    return int(control.ssh(store, f"sudo du -sB1 {DIRECTORY}").split()[0])


def arrived(control: Control, store: str, beginning: str) -> bool:
    """Whether the newest line of the check begins so, now or soon."""
    search = f"sudo journalctl -q -o cat -n 1 --file='{DIRECTORY}/logs*.journal' SYSLOG_IDENTIFIER=nexus-check"
    return wait_until(lambda: control.ssh(store, search).startswith(beginning), 60, pause=1)


@pytest.mark.full
def test_what_is_too_old_is_gone(control: Control, store: str) -> None:
    """Lines of two ages: one beyond what stays on the log store, one beyond what is kept at all."""
    logging = control.planned.catalogue.operations.logging
    ages = {"packed": logging.retention_hot_days + 10, "gone": logging.retention_archive_days + 10}
    mark, run = uuid.uuid4().hex, uuid.uuid4().hex  # the run's own commands are in the journal too
    for name, days in ages.items():
        at = int((time.time() - days * DAY_SECONDS) * 1e6)
        fields = {"__REALTIME_TIMESTAMP": at, "_BOOT_ID": f"{1:032}", "_HOSTNAME": "past", "MESSAGE": f"{mark} {name}"}
        text = "".join(f"{key}={value}\n" for key, value in fields.items()) + "\n"
        path = f"{DIRECTORY}/logs@{name}-{run}.journal"
        control.ssh(store, f"sudo /usr/lib/systemd/systemd-journal-remote -o {path} -", text)
    control.ssh(store, "sudo systemctl start nexus-log-pack.service")
    assert run not in control.ssh(store, f"ls {DIRECTORY}")
    found = logs(control, grep=mark, since=f"{ages['packed'] + 2}d", until=day(ages["packed"] - 2)).output
    assert f"{mark} packed" in found
    found = logs(control, grep=mark, since=f"{ages['gone'] + 2}d", until=day(ages["gone"] - 2)).output
    assert f"{mark} gone" not in found


def day(days: int) -> str:
    """The date so many days ago."""
    return time.strftime("%Y-%m-%d", time.localtime(time.time() - days * DAY_SECONDS))


@pytest.mark.full
def test_a_host_without_a_certificate_is_refused(control: Control, store: str) -> None:
    address, port = control.lab.host(store).address, control.planned.setting.log_store_port
    command = f"curl -sk -m 10 https://{address}:{port}/upload -X POST -d MESSAGE=x; echo $?"
    assert int(control.ssh(control.group("app")[0], command)) in (35, 55, 56)
    assert json.loads(control.ssh(store, "sudo cat /etc/nexus-cos/log-store.json"))["storage"]["bucket"]
