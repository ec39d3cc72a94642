"""Gates, canaries and migrations of a release."""

import datetime
import json
from dataclasses import replace

import pytest

from nexus.error import OperatorError
from roles.router.plan import configuration
from roles.service.released import Released, key
from runbooks.release.canary import shares
from runbooks.release.gate import Limits, Traffic, objection, task_objection
from runbooks.release.host import traffic
from runbooks.release.migration import due, job
from runbooks.release.plan import Step
from tests.plan.environments import environment

OLD = Released("1.0.0", "sha256:aa", "auth-service-old")
NEW = Released("2.4.1", "sha256:bb", "auth-service-new")
LIMITS = Limits(error_percent=5, slowdown_percent=50, p95_ms=200, requests=50)


@pytest.fixture
def env(tmp_path):
    return environment(tmp_path)


def test_errors_above_the_trigger_speak_against_a_release():
    before, after = Traffic(1000, 0, {2: 1000}), Traffic(200, 40, {2: 200})
    assert "20.0 % of 200 requests failed" in objection(before, after, LIMITS)
    assert not objection(before, Traffic(200, 10, {2: 200}), LIMITS)
    assert not objection(Traffic(1000, 300), after, LIMITS)  # no worse than before
    assert not objection(before, Traffic(20, 20), LIMITS)  # too few requests to tell


def test_slower_counts_where_it_is_slow():
    before = Traffic(1000, 0, {100: 1000})
    assert "p95 is 400 ms" in objection(before, Traffic(100, 0, {400: 100}), LIMITS)
    assert not objection(Traffic(1000, 0, {2: 1000}), Traffic(100, 0, {150: 100}), LIMITS)
    assert Traffic(100, 0, {1: 94, 50: 6}).p95 == 50
    assert Traffic(100, 0, {1: 95, 50: 5}).p95 == 1


def test_a_task_that_dies_speaks_against_a_release():
    found = {"hash": "h", "running": 2, "failed": [["old", "exit 1"], ["new", "exit 134"]]}
    assert "exit 134" in task_objection(found, "h", 2, ["old"])
    assert not task_objection(found, "h", 2, ["old", "new"])
    assert "did not get healthy" in task_objection(found, "other", 2, ["old", "new"])
    assert "2 of 3" in task_objection(found, "h", 3, ["old", "new"])


def test_the_access_log_is_read_from_its_end(tmp_path):
    now = datetime.datetime.now(datetime.UTC)
    rows = [("glitch", 200, 500, ""), ("glitch", 20, 200, ""), ("glitch", 5, 502, ""), ("keys", 5, 200, ""),
            ("glitch", 1, 200, "canary")]  # fmt: skip
    lines = [
        json.dumps({"timestamp": (now - datetime.timedelta(seconds=age)).isoformat(timespec="seconds"),
                    "service": name, "statusCode": status, "duration": 0.012, "variant": variant})
        for name, age, status, variant in rows
    ]  # fmt: skip
    log = tmp_path / "access.log"
    log.write_text("\n".join([*lines, '{"timestamp":"half a li']))
    answer = traffic.probe(["glitch", "glitch-canary"], {"log": str(log), "seconds": 60})
    assert Traffic.of([answer["glitch"], answer["glitch"]]) == Traffic(4, 2, {12: 4})
    assert answer["glitch-canary"]["requests"] == 1
    assert traffic.probe(["glitch"], {"log": str(tmp_path / "none"), "seconds": 60})["glitch"]["requests"] == 0


def test_a_canary_widens_in_the_steps_of_operations(tmp_path, env):
    assert shares(env, 0) == []
    assert shares(env, 10) == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert shares(environment(tmp_path, release_canary_step_percent=40), 30) == [30, 70]
    with pytest.raises(OperatorError, match="canary=100"):
        shares(env, 100)


def test_the_router_knows_a_canary_only_while_one_is_watched(env):
    plain, _ = configuration(env)
    text, _ = configuration(env.with_facts(env.hosts, {}, {"canary glitch": {"percent": 10}}))
    assert "glitch-canary" not in plain
    assert "{ var(txn.service) -m str glitch } { rand(100) lt 10 } { nbsrv(glitch-canary) gt 0 }" in text
    assert "tasks.glitch-canary:" in text
    assert configuration(env.with_facts(env.hosts, {}, {"canary glitch": {"percent": 0}}))[0] == plain


def test_a_migration_runs_once_for_an_image(env):
    service = env.catalogue.service("auth-service").model_copy(update={"migration": ("node", "migrate.js")})
    step = Step("auth-service", OLD, NEW)
    assert not due(env, step)
    services = [service if each.name == service.name else each for each in env.catalogue.platform.services]
    platform = env.catalogue.platform.model_copy(update={"services": tuple(services)})
    env.__dict__["catalogue"] = replace(env.catalogue, platform=platform)
    assert due(env, step)
    done = env.with_facts(env.hosts, {}, {key("auth-service"): {"current": OLD.value(), "migrated": "sha256:bb"}})
    assert not due(done, step)
    found = job(env, service, step)
    assert found["definition"]["command"] == ["node", "migrate.js"]
    assert found["definition"]["image"].endswith("auth-service:2.4.1@sha256:bb")
    assert found["definition"]["deploy"]["restart_policy"] == {"condition": "none"}
    told = next(text for name, text in found["contents"].items() if "secret auth-service-migration-" in name)
    assert f":{env.setting.postgresql_proxy_direct_port}/auth_service" in told
