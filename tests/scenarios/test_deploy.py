"""The first run: afterwards everything is deployed, as the hosts themselves report."""

from __future__ import annotations

import http.client
import socket
import ssl

from comparison import stale
from control import Control, Outcome

Deployed = tuple[Control, Outcome]


def test_the_first_run_succeeds_and_reports_it(deployed: Deployed) -> None:
    control, outcome = deployed
    services = len(control.planned.catalogue.services)
    assert outcome.status == 0, outcome.end
    assert outcome.closing[1:] == (services, services), outcome.end


def test_every_service_is_ready_at_the_router(deployed: Deployed) -> None:
    control, _ = deployed
    assert control.unhealthy() == {}


def test_the_edge_answers_over_tls_to_this_machine(deployed: Deployed) -> None:
    control, _ = deployed
    edge = control.host(control.group("edge")[0]).address
    domain = str(control.planned.setting.domain)
    trust = ssl.create_default_context(cafile=str(control.lab.access / "ca.pem"))
    connection = http.client.HTTPSConnection(domain, timeout=10, context=trust)
    connection.sock = trust.wrap_socket(socket.create_connection((edge, 443), 10), server_hostname=domain)
    connection.request("GET", "/health")
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()


def test_running_daemons_use_the_files_on_disk(deployed: Deployed) -> None:
    control, _ = deployed
    assert stale(control.state()) == []
