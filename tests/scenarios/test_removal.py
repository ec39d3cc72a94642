"""A service removed from the catalogue disappears everywhere except its data; added again, it returns."""

from __future__ import annotations

import http.client
import json
import ssl

import pytest
from control import Control

from nexus.provider.lab.machine import wait_until

GONE = "puabo-nuki-order-processor"  # has a route, PostgreSQL and RabbitMQ, and nothing depends on it
EXCLUDED = {"services_excluded": [GONE]}
# What alerts and panels of every service are made of, with the label that names the service.
METRICS = {
    "haproxy_backend_active_servers": "proxy",
    "nginx_requests_total": "service",
    "nexus_service_tasks": "service",
    "nexus_service_memory_limit_bytes": "service",
    "nexus_container_memory_bytes": "service",
}
MEASURED = set(METRICS)
METRICS_SECONDS = 180  # a program writes those of containers each minute


@pytest.fixture
def removed(platform: Control):
    yield platform
    platform.converged()


def test_a_service_is_removed_and_added_again(removed: Control) -> None:
    platform = removed
    names = Names(platform)
    assert names.missing() == []
    assert names.route() == 200

    without = platform.run(data=EXCLUDED)
    assert without.status == 0, without.end
    services = len(platform.planned.catalogue.services)
    assert without.closing[1:] == (services - 1, services - 1)
    assert f"database {names.database}: no longer planned, kept" in without.output
    assert names.missing() == ["swarm", "router"]
    assert names.route() == 404
    again = platform.run(data=EXCLUDED)
    assert again.changes == [], again.end
    assert "no longer planned, kept" in again.output

    pruned = platform.run(data={**EXCLUDED, "prune_data": True})
    assert pruned.status == 0, pruned.end
    assert names.missing() == ["swarm", "router", "database", "users", "vhost"]

    back = platform.converged()
    assert back.closing[1:] == (services, services)
    assert names.missing() == []
    assert names.route() == 200
    assert platform.converged().changes == []
    assert wait_until(lambda: names.measured() >= MEASURED, METRICS_SECONDS, pause=2), names.measured()


class Names:
    """Where a service is known: in the swarm, the router, the stores, and by its route."""

    def __init__(self, platform: Control) -> None:
        self.platform = platform
        env = platform.planned
        self.database = env.catalogue.service(GONE).database
        self.users = [user for user, _ in env.logins("postgresql", GONE)]
        self.path = env.catalogue.routes_of(GONE)[0].path
        self.port = env.setting.router_port
        self.trust = ssl.create_default_context(cafile=str(platform.lab.access / "ca.pem"))

    def missing(self) -> list[str]:
        """The places where the service is missing, in a fixed order."""
        ask, group = self.platform.ssh, self.platform.group
        sql = "select datname from pg_database union select rolname from pg_roles"
        known = ask(group("postgresql")[0], f"sudo runuser -u postgres -- psql -XAtc '{sql}'").split()
        vhosts = ask(group("rabbitmq")[0], "sudo rabbitmqctl -q list_vhosts name").split()
        present = {
            "swarm": f"nexus_{GONE}" in ask(group("app")[1], "sudo docker service ls --format '{{.Name}}'").split(),
            "router": GONE in ask(group("edge")[0], "sudo cat /etc/nexus-cos/router/haproxy.cfg"),
            "database": self.database in known,
            "users": bool({*self.users} & {*known}),
            "vhost": GONE in vhosts,
        }
        return [place for place, there in present.items() if not there]

    def measured(self) -> set[str]:
        """The metrics that Prometheus has of the service now: from its one entry in the catalogue, nothing else."""
        query = "curl -sfG http://127.0.0.1:9090/api/v1/query --data-urlencode"
        asked = "; ".join(f"{query} 'query={metric}{{{label}=\"{GONE}\"}}'; echo" for metric, label in METRICS.items())
        answers = self.platform.ssh(self.platform.group("ops")[0], asked).splitlines()
        told = [json.loads(text) for text in answers if text]
        return {one["metric"]["__name__"] for answer in told for one in answer["data"]["result"]}

    def route(self) -> int:
        """The HTTP status of the service's route at the edge."""
        edge = self.platform.host(self.platform.group("edge")[0]).address
        connection = http.client.HTTPSConnection(edge, timeout=10, context=self.trust)
        try:
            connection.request("GET", self.path, headers={"Host": str(self.platform.planned.setting.domain)})
            return connection.getresponse().status
        finally:
            connection.close()
