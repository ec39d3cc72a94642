"""Releases as data: order, records, plans made from them, and gates that reject a new release."""

import datetime
import json
from dataclasses import replace

import pytest

from nexus.environment.settings import Settings
from nexus.error import OperatorError
from roles.image.recipe import recipe
from roles.router.plan import configuration
from roles.service.plan import pinned_config_notes, plan
from roles.service.released import Released, key, released
from roles.service.stack import definitions
from runbooks.release import release, rollback
from runbooks.release.canary import shares
from runbooks.release.gate import Limits, Traffic, objection, task_objection
from runbooks.release.host import traffic
from runbooks.release.migration import due, job
from runbooks.release.plan import Step, at, rollback_order, stack, waves, work
from runbooks.release.record import Running, begun, committed, history, releases, rolled_back, target
from tests.plan.environments import environment

OLD = Released("1.0.0", "sha256:aa", "auth-service-old")
NEW = Released("2.4.1", "sha256:bb", "auth-service-new")
LIMITS = Limits(error_percent=5, slowdown_percent=50, p95_ms=200, requests=50)


@pytest.fixture
def env(tmp_path):
    return environment(tmp_path)


def recorded(env, current, **rest):
    return env.with_facts(env.hosts, env.digests, {key("auth-service"): {"current": current.value(), **rest}})


# Selection and order


def test_a_release_and_a_rollback_need_services():
    for runbook in (release, rollback):
        with pytest.raises(OperatorError, match="services=all"):
            runbook([])


def test_no_wave_holds_a_service_and_its_dependency(env):
    found = waves(env, env.catalogue.services, width=6)
    assert sorted(name for wave in found for name in wave) == sorted(env.catalogue.services)
    assert max(map(len, found)) <= 6
    before: set[str] = set()
    for wave in found:
        for name in wave:
            assert set(env.catalogue.service(name).depends_on) <= before
        before |= set(wave)


def test_rollback_starts_with_the_services_operations_name(env):
    order = rollback_order(env, list(env.catalogue.services))
    assert tuple(order[:5]) == env.catalogue.operations.rollback.order
    assert sorted(order) == sorted(env.catalogue.services)


# Plans


def test_a_service_without_a_record_starts_with_the_setting(tmp_path):
    env = environment(tmp_path, release="3.1.0")
    assert released(env, "auth-service").release == "3.1.0"
    assert releases(env)["glitch"] == "3.1.0"


def test_a_recorded_release_is_planned_by_every_checkout(tmp_path, env):
    other = environment(tmp_path, release="9.9.9")
    for planned in (definitions(recorded(env, NEW)), definitions(recorded(other, NEW))):
        assert planned["auth-service"]["image"] == "ops1:5000/nexus-cos/auth-service:2.4.1@sha256:bb"
    assert releases(recorded(other, NEW))["auth-service"] == "2.4.1"
    assert definitions(recorded(env, NEW))["glitch"] == definitions(env)["glitch"]


def test_later_runs_plan_what_a_release_deployed(env):
    deployed = work(env, {"auth-service": NEW})["definitions"]["auth-service"]
    after = recorded(env, replace(NEW, at="2026-11-22T19:00:00+00:00"))
    assert definitions(after)["auth-service"] == deployed


def test_a_release_and_later_runs_write_one_stack_file(env):
    digests = {name: f"sha256:{number}" for number, name in enumerate(("router", *env.catalogue.services))}
    running = {
        name: Running(f"ops1:5000/nexus-cos/{name}:1.0.0@{digest}", "").released() for name, digest in digests.items()
    }
    kept = recorded(env, NEW).kept
    releasing = replace(env, setting=Settings({**env.setting, "release": "2.4.1"}))
    written = stack(releasing.with_facts(releasing.hosts, {}, kept), running)
    (planned,) = plan(env.with_facts(env.hosts, digests, kept), env.host("app1")).files
    assert written == {planned.path: planned.content}


def test_a_rollback_brings_configuration_and_leaves_credentials(env):
    back = definitions(at(env, {"auth-service": replace(OLD, pinned=True)}))["auth-service"]
    now = definitions(env)["auth-service"]
    configs = {config["target"]: config["source"] for config in back["configs"]}
    assert configs["/run/secrets/config"] == "auth-service-old"
    assert back["secrets"] == now["secrets"]


def test_a_config_stored_as_a_secret_stays_a_secret(env):
    """The content of a secret cannot be read, so a rollback uses the recorded secret itself."""
    record = Released("0.9.0", "sha256:aa", "auth-service-config-0123456789", pinned=True)
    back = definitions(at(env, {"auth-service": record}))["auth-service"]
    assert {file["target"]: file["source"] for file in back["secrets"]}["/run/secrets/config"] == record.config
    assert [file["target"] for file in back["configs"]] == ["/run/secrets/ca.pem"]
    brought = work(env, {"auth-service": record})
    assert not [item for item in brought["contents"] if record.config in item]
    assert brought["items"]["service auth-service"]["files"][1] == f"/run/secrets/config: secret {record.config}"
    credentials = next(text for item, text in brought["contents"].items() if "-credentials-" in item)
    assert "DB_HOST=" in credentials  # an older configuration may lack it


def test_a_held_configuration_is_noted_and_not_planned(env):
    held = recorded(env, replace(OLD, pinned=True), history=[NEW.value()])
    (state,) = plan(held, held.host("app1")).states
    assert "config auth-service-old" not in state.items
    assert state.context["recorded"] == ["auth-service-new", "auth-service-old"]
    notes = pinned_config_notes(held)
    assert any("auth-service keeps the configuration of its release 1.0.0" in line for line in notes)
    assert pinned_config_notes(env) == []


def test_variables_of_one_service_reach_no_other(tmp_path, env):
    values = {"auth-service": {"FAULT": "start"}}
    other = replace(env, setting=Settings({**env.setting, "service_environment_of": values}))
    changed = [name for name, content in definitions(other).items() if content != definitions(env)[name]]
    assert changed == ["auth-service"]


def test_variables_built_in_make_another_image(tmp_path, env):
    other = environment(tmp_path, image_environment={"FAULT": "error=20"})
    assert recipe(other, None).images["glitch"].content != recipe(env, None).images["glitch"].content
    assert recipe(other, None).images["router"].content == recipe(env, None).images["router"].content


# Records


def test_until_the_gates_have_passed_the_old_release_is_planned():
    record = begun({}, Running("r/auth-service:1.0.0@sha256:aa", "auth-service-old").released())
    assert Released.of(record["current"]) == replace(OLD, pinned=True)
    died_in_between = begun(record, Running("r/auth-service:2.4.1@sha256:bb", "auth-service-new").released())
    assert died_in_between == record


def test_a_release_that_passed_makes_the_one_before_it_history():
    record = committed(begun({}, OLD), NEW, keep=5)
    assert Released.of(record["current"]) == NEW
    assert history(record) == [replace(OLD, pinned=True)]
    for number in range(9):
        record = committed(record, Released(f"3.0.{number}", f"sha256:{number}"), keep=5)
    assert [entry.release for entry in history(record)] == ["3.0.7", "3.0.6", "3.0.5", "3.0.4", "3.0.3"]


def test_a_second_rollback_goes_further_back():
    third = Released("3.0.0", "sha256:cc", "auth-service-3")
    record = committed(committed(begun({}, OLD), NEW, 5), third, 5)
    to = target("auth-service", record, third, None, "")
    assert to is not None
    assert (to.release, to.config) == ("2.4.1", "auth-service-new")
    record = rolled_back(record, to, 5)
    again = target("auth-service", record, to, None, "")
    assert again is not None
    assert again.release == "1.0.0"
    record = rolled_back(record, again, 5)
    assert target("auth-service", record, again, None, "") is None
    forth = target("auth-service", record, again, None, "3.0.0")
    assert forth is not None
    assert forth.digest == "sha256:cc"


def test_a_stuck_release_returns_to_the_recorded_one():
    record = committed(begun({}, OLD), NEW, 5)
    stuck = Released("2.5.0", "sha256:ee")
    to = target("auth-service", record, stuck, None, "")
    assert to is not None
    assert to.release == "2.4.1"


def test_without_a_record_the_swarm_knows_the_last_release():
    assert target("auth-service", {}, NEW, OLD, "") == OLD
    assert target("auth-service", {}, NEW, None, "") is None
    with pytest.raises(OperatorError, match=r"never at release 7.*2\.4\.1, 1\.0\.0"):
        target("auth-service", {}, NEW, OLD, "7")


# Gates


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


# Canary and migration


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
