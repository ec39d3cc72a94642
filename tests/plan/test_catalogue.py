"""The real catalogue matches the counts of the handoff documents, in an order in which services can start."""

from __future__ import annotations

from collections import Counter

import pytest
from pydantic import ValidationError

from nexus.catalogue import CatalogueError, load


@pytest.fixture(scope="module")
def catalogue():
    return load()


def test_counts_are_those_of_the_handoff_documents(catalogue):
    services = catalogue.services.values()
    assert len(catalogue.services) == 43
    assert Counter(service.category for service in services) == {
        "core": 5,
        "streaming": 4,
        "content": 3,
        "ai": 5,
        "platform": 26,
    }
    assert Counter(service.domain for service in services) == {
        "authentication": 5,
        "content": 6,
        "business": 4,
        "ai": 5,
        "commerce": 4,
        "finance": 2,
        "logistics": 3,
        "entertainment": 5,
        "platform": 5,
        "specialized": 4,
    }
    assert len(catalogue.routes) == 44
    assert len({route.service for route in catalogue.routes}) == 42
    assert len(catalogue.modules) == 16


def test_requests_sum_up_to_more_than_the_stated_cluster(catalogue):
    services = catalogue.services.values()
    assert sum(s.replicas for s in services) == 113
    assert sum(s.replicas * s.cpu_millicores for s in services) == 102_000
    assert sum(s.replicas * s.memory_bytes for s in services) == 204 * 2**30
    assert sum(s.replicas * s.gpu for s in services) == 6


def test_stores_have_the_services_that_declare_them(catalogue):
    count = {store: len(catalogue.services_of_store(store)) for store in catalogue.stores}
    assert count == {"postgresql": 26, "redis": 9, "rabbitmq": 15, "mongodb": 1, "object-storage": 2}


# what roles rely on


def test_services_start_after_what_they_depend_on(catalogue):
    started: set[str] = set()
    for service in catalogue.services.values():
        assert set(service.depends_on) <= started
        started.add(service.name)


def test_phases_hold_every_service_once_in_start_order(catalogue):
    phases = catalogue.phases()
    assert [phase.name for phase, _ in phases] == ["core", "platform", "domain"]
    assert [s.name for _, services in phases for s in services] == list(catalogue.services)
    assert [s.name for s in phases[0][1]] == ["key-service", "token-mgr", "session-mgr", "user-auth", "auth-service"]


def test_every_service_but_the_gateway_has_a_route(catalogue):
    without = [name for name in catalogue.services if not catalogue.routes_of(name)]
    assert without == [catalogue.gateway.api_gateway.service] == ["backend-api"]


def test_route_may_lead_to_another_path_of_the_service(catalogue):
    by_path = {route.path: route for route in catalogue.routes}
    assert by_path["/api/sessions/"].target == "/sessions/"
    assert by_path["/api/orders/"].target == "/api/orders/"
    assert by_path["/api/orders/"].is_prefix
    assert not by_path["/api/auth/login"].is_prefix


def test_derived_names(catalogue):
    assert catalogue.service("auth-service").database == "auth_service"
    assert catalogue.service("session-mgr").key_prefixes == ("session-mgr:", "session:")
    assert catalogue.service("scheduler").key_prefixes == ("scheduler:",)
    assert {domain.name: domain.namespace for domain in catalogue.platform.domains}["authentication"] == "nexus-auth"
    assert catalogue.timeout_ms("streaming-service-v2") == 10000
    assert catalogue.timeout_ms("glitch") == 5000


def test_shipped_code_is_probed_where_it_answers(catalogue):
    glitch = catalogue.service("glitch")
    assert catalogue.probes_of(glitch, shipped_code=True).readiness == "/health"
    assert catalogue.probes_of(glitch, shipped_code=False).readiness == "/health/ready"
    assert [s.name for s in catalogue.services.values() if s.source is None] == ["kei-ai"]
    assert {s.name for s in catalogue.services.values() if s.source and s.source.needs_middleware} == {
        "user-auth",
        "key-service",
        "puabomusicchain",
        "v-prompter-pro",
    }
    assert sum(s.source.stop_exit_code == 1 for s in catalogue.services.values() if s.source) == 28
    assert 1 in glitch.source.accepted_exit_codes


def test_unknown_service_is_answered_with_the_nearest(catalogue):
    with pytest.raises(KeyError, match="did you mean 'glitch'"):
        catalogue.service("glich")


def test_load_reads_once(catalogue):
    assert load() is catalogue


def test_entries_cannot_be_changed(catalogue):
    with pytest.raises(ValidationError, match="frozen"):
        catalogue.service("glitch").port = 1


# a part of the platform


def test_without_takes_out_everything_about_a_service(catalogue):
    rest = catalogue.without({"puabo-nuki-order-processor", "puabo-nexus-ai-dispatch"})
    assert len(rest.services) == 41
    assert len(rest.routes) == 42
    text = "".join(repr(file) for file in (rest.platform, rest.applications, rest.gateway))
    assert "puabo-nuki-order-processor" not in text
    assert "puabo-nexus-ai-dispatch" not in text
    assert rest.without(()) is rest


def test_without_refuses_to_leave_dependents_behind(catalogue):
    with pytest.raises(CatalogueError) as raised:
        catalogue.without({"key-service", "glich"})
    text = str(raised.value)
    assert "'key-service' cannot be excluded: token-mgr depends on it" in text
    assert "'key-service' cannot be excluded: pv-keys depends on it" in text
    assert "did you mean 'glitch'" in text


def test_rollback_order_skips_removed_services(catalogue):
    gone = {"billing-service"}
    while needing := {s.name for s in catalogue.services.values() if gone & {*s.depends_on}} - gone:
        gone |= needing
    rest = catalogue.without(gone)
    assert "billing-service" not in rest.operations.rollback.order
    assert "puabo-nuki-order-processor" not in rest.services
