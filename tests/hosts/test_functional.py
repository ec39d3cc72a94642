"""Services with code of their own do their work, asked at each edge host from outside. Nothing is written."""

from __future__ import annotations

import pytest

from hosts.client import Edge
from hosts.fleet import Fleet
from hosts.login import bearer
from roles.functional.host.check import failure
from roles.functional.plan import checks, request_data


@pytest.mark.hosts("edge")
def test_services_do_their_work(fleet: Fleet, edges: dict[str, Edge], hostname: str) -> None:
    fleet.seen(hostname)
    found = {name: [c for c in wanted if c.at == "edge" and not c.writes] for name, wanted in checks(fleet.env).items()}
    asked = [(name, check) for name, wanted in found.items() for check in wanted]
    if not asked:
        pytest.skip("no service runs code of its own here; the reference service proves its stores by its readiness")

    def ask(method: str, path: str, body: bytes | None) -> tuple[int, str]:
        sent = {**bearer(fleet), **({"Content_Type": "application/json"} if body else {})}
        answer = edges[hostname].ask(path, method, body, **sent)
        return answer.status, answer.text

    failed = {}
    for name, check in asked:
        why = failure([request_data(request) for request in check.requests], "nexus-cos-check-tests", ask)
        if why and not check.known_failure:
            failed[f"{name}: {check.name}"] = why
    assert not failed, f"{hostname}: " + "; ".join(f"{name}: {why}" for name, why in failed.items())
