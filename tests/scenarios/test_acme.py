"""Public certificates on two edge hosts: one order for all, no failed handshake, and an authority that is away."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from authority import ScenarioAuthority, handshakes
from conftest import Figure, whole

from nexus.provider import lab
from nexus.provider.lab.machine import wait_until
from roles.acme.host.places import CONFIG, RECORD
from roles.certificate.host.public import DIRECTORY

EDGE = "deploys/edge.py"
PROGRAM = "sudo systemctl start nexus-acme"
HANDSHAKES = 50  # a second: two cores serve them and all else
REPLACED_SECONDS, DRILL_SECONDS, RECOVERY_SECONDS = 10, 900, 120
SHORT_SECONDS = 180  # lifetime of certificates that end while a scenario looks
BROKEN = "/etc/nginx/nexus-cos/sites/broken.conf"


@pytest.fixture(scope="module")
def authority(pytestconfig: pytest.Config) -> Iterator[ScenarioAuthority]:
    """The wide lab with an authority; afterwards it is as planned, without a public certificate."""
    for control, outcome in whole("lab_wide", pytestconfig):
        assert outcome.status == 0, outcome.end
        found = ScenarioAuthority(control)
        found.forget()  # what a run that was killed has left
        found.start()
        try:
            yield found
        finally:
            found.forget()
            done = control.run()
            assert done.status == 0, done.end


def run(authority: ScenarioAuthority, deploy: str = EDGE) -> tuple[list[str], str]:
    """Changes and output of a run that must succeed."""
    done = authority.control.run(deploy=deploy, data=authority.data)
    assert done.status == 0, done.end
    return done.changes, done.output


@pytest.fixture
def certified(authority: ScenarioAuthority) -> ScenarioAuthority:
    """Every edge host shows the certificate."""
    run(authority)
    assert authority.all_show(authority.record()["serial"])
    return authority


def test_the_first_run_orders_one_certificate_for_all(authority: ScenarioAuthority, figure: Figure) -> None:
    began = time.monotonic()
    _, said = run(authority, "deploys/full.py")
    figure("acme: a run from nothing to a public certificate", time.monotonic() - began)
    record = authority.record()
    assert record["orders"] == 1
    assert authority.all_show(record["serial"])
    trusting = ssl.create_default_context(cadata=authority.root())
    for name in authority.names:
        for edge in authority.control.group("edge"):
            address = (authority.env.host(edge).address, authority.env.setting.nginx_https_port)
            with socket.create_connection(address, 5) as raw, trusting.wrap_socket(raw, server_hostname=name):
                pass  # chain and name are right
    assert "PRIVATE KEY" not in said
    assert run(authority)[0] == []


def test_no_run_orders_without_need(certified: ScenarioAuthority) -> None:
    orders = certified.record()["orders"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda host: certified.control.ssh(host, PROGRAM), certified.control.group("ops") * 5))
    ended = [certified.control.start(deploy=EDGE, data=certified.data) for _ in range(2)]
    for each in ended:
        each.communicate(timeout=600)
    assert certified.record()["orders"] == orders
    assert {certified.record(host)["serial"] for host in certified.control.group("ops")} == {
        certified.record()["serial"]
    }


def test_an_edge_host_without_it_gets_the_same_one(certified: ScenarioAuthority, full: bool) -> None:
    control, edge = certified.control, certified.control.group("edge")[1]
    before = certified.record()
    if full:  # a bare host of the same name
        control.host(edge).remove()
        lab.up(control.lab)
        certified.trust()
        run(certified, "deploys/full.py")
    else:
        control.ssh(edge, f"sudo rm -rf {DIRECTORY}")
        run(certified)
    assert certified.all_show(before["serial"])
    assert certified.record()["orders"] == before["orders"]


def test_a_renewal_fails_no_handshake(certified: ScenarioAuthority, figure: Figure) -> None:
    before = certified.record()
    with handshakes(certified, HANDSHAKES) as load:
        time.sleep(5)
        certified.due()
        certified.control.ssh(certified.host, PROGRAM)
        issued = time.monotonic()
        after = certified.record()
        assert after["serial"] != before["serial"]
        assert wait_until(lambda: certified.all_show(after["serial"]), REPLACED_SECONDS, pause=0.2)
        figure("acme: all edge hosts on the new serial after", time.monotonic() - issued)
        time.sleep(5)
    figure("acme: handshakes during a renewal, failed", f"{len(load['failed'])} of {load['made']}")
    assert load["made"] > HANDSHAKES
    assert load["failed"] == []
    assert after["orders"] == before["orders"] + 1


def test_a_session_is_resumed_at_the_other_edge_host(certified: ScenarioAuthority) -> None:
    """Edge hosts share keys of tickets; Nginx resumes sessions of its own certificate alone, so that is shared, too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    name, port = certified.names[0], certified.env.setting.nginx_https_port
    session, reused = None, []
    for edge in certified.control.group("edge"):
        raw = socket.create_connection((certified.env.host(edge).address, port), 10)
        with context.wrap_socket(raw, server_hostname=name, session=session) as secure:
            secure.sendall(f"GET /health HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
            assert secure.recv(4096).startswith(b"HTTP/1.1 200")
            reused.append(secure.session_reused)
            session = secure.session
    assert reused == [False, True]


@pytest.mark.full
def test_orders_succeed_while_an_edge_host_is_away(certified: ScenarioAuthority, figure: Figure) -> None:
    control = certified.control
    alive, away = control.group("edge")
    done, orders = 0, certified.record()["orders"]
    control.host(away).poweroff()
    certified.names_lead_to([alive])
    try:
        for _ in range(20):
            serial = certified.record()["serial"]
            certified.due()
            control.ssh(certified.host, f"{PROGRAM}; true")  # fails: one edge host does not show it
            done += certified.record()["serial"] != serial
            assert certified.shown(alive) == certified.record()["serial"], certified.record()
    finally:
        lab.up(control.lab)
        certified.names_lead_to([alive, away])
    figure("acme: orders while an edge host is away", f"{done} of 20")
    assert done == 20, certified.record()
    assert certified.record()["orders"] == orders + 20
    assert wait_until(lambda: certified.all_show(certified.record()["serial"]), 120, pause=2)


def test_a_start_that_is_killed_is_finished_by_the_next(certified: ScenarioAuthority) -> None:
    control, before = certified.control, certified.record()
    certified.due()
    control.ssh(certified.host, f"{PROGRAM} --no-block; sleep 1; sudo systemctl kill -s KILL nexus-acme; true")
    control.ssh(certified.host, f"sleep 1; {PROGRAM}")
    after = certified.record()
    assert after["orders"] <= before["orders"] + 1
    assert certified.all_show(after["serial"])
    assert after["serial"] != before["serial"]


@pytest.mark.full
@pytest.mark.timeout(2400)
def test_an_authority_that_is_away_costs_nothing_but_time(certified: ScenarioAuthority, figure: Figure) -> None:
    certified.start(validity=SHORT_SECONDS)
    certified.due()
    certified.control.ssh(certified.host, PROGRAM)
    record = certified.record()
    assert certified.all_show(record["serial"])
    time.sleep(SHORT_SECONDS / 2)
    certified.stop()
    while time.time() < record["ends"]:
        assert certified.all_show(record["serial"])
        time.sleep(5)
    time.sleep(30)
    assert "does not answer" in certified.record()
    assert certified.record()["failing_since"] < record["ends"]
    certified.start()
    began = time.monotonic()
    recovered = wait_until(
        lambda: certified.record()["serial"] != record["serial"] and certified.all_show(certified.record()["serial"]),
        RECOVERY_SECONDS,
        pause=1,
    )
    assert recovered, certified.record()
    figure("acme: a certificate after the authority is back", time.monotonic() - began)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_short_certificates_follow_without_a_gap(certified: ScenarioAuthority, figure: Figure) -> None:
    certified.start(validity=SHORT_SECONDS)
    certified.due()
    certified.control.ssh(certified.host, PROGRAM)
    orders, end, ended = certified.record()["orders"], time.monotonic() + 8 * SHORT_SECONDS, 0
    while time.monotonic() < end:
        ended += certified.record()["ends"] <= time.time()
        time.sleep(2)
    made = certified.record()["orders"] - orders
    periods = 8 * 3 / 2  # a certificate is renewed when two thirds of its life are over
    figure("acme: orders for each period of a short certificate", made / periods)
    certified.start()
    assert ended == 0
    assert made <= 1.2 * periods


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_a_revoked_certificate_is_replaced(certified: ScenarioAuthority, figure: Figure) -> None:
    serial = certified.record()["serial"]
    revoke = (
        f"import json; from acme.messages import *; from cryptography import x509; c = json.load(open('{CONFIG}')); "
        f"p = json.load(open('{RECORD}'))['pair']; from roles.acme.host.renewer.authority import Authority; "
        "a = Authority(p['authority'], c); a.open_account(c); a.revoke(x509.load_pem_x509_certificate("
        "p['chain'].encode()), 1)"
    )
    library = "PYTHONPATH=/usr/local/lib/nexus-cos/acme"
    certified.control.ssh(certified.host, f'sudo {library} python3 -c "{revoke}"')
    began = time.monotonic()
    assert wait_until(lambda: certified.record()["serial"] != serial, DRILL_SECONDS, pause=5)
    figure("acme: a revoked certificate is replaced after", time.monotonic() - began)


def test_a_refused_certificate_is_named_and_repaired(certified: ScenarioAuthority) -> None:
    control, edge = certified.control, certified.control.group("edge")[1]
    before = certified.record()["serial"]
    control.ssh(edge, f"echo 'not a directive of Nginx;' | sudo tee {BROKEN}")
    try:
        certified.due()
        control.ssh(certified.host, f"{PROGRAM}; true")
        after = certified.record()["serial"]
        assert after != before
        assert certified.shown(edge) == before
        done = control.run(deploy=EDGE, data=certified.data)
        assert done.status != 0
        assert "nginx" in done.output
    finally:
        control.ssh(edge, f"sudo rm {BROKEN}")
    run(certified)
    assert certified.all_show(after)


def test_keys_are_nowhere_else(certified: ScenarioAuthority) -> None:
    control = certified.control
    secret = control.ssh(certified.host, f"sudo cat {RECORD}").split("PRIVATE KEY-----\\n")[1][:60]
    account = control.planned.secrets.get("acme/account-key").splitlines()[1]
    journal = 'read -r key; sudo journalctl --no-pager -q | grep -cF -- "$key"; true'
    places = "sudo grep -rlF -f - /etc /var/lib /var/log /run 2>/dev/null; true"
    for name in control.names:
        for text in (secret, account):
            assert control.ssh(name, journal, f"{text}\n").strip() == "0", name
        files = control.ssh(name, places, f"{secret}\n", seconds=300).split()
        ours = [path for path in files if path.startswith(f"{DIRECTORY}/") or path == RECORD]
        assert files == ours, name
        assert bool(files) == (name in {*control.group("edge"), *control.group("ops")}), name
