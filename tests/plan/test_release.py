"""Releases as data: order, records, and plans made from them."""

from dataclasses import replace

import pytest

from nexus.environment.settings import Settings
from nexus.error import OperatorError
from roles.image.recipe import recipe
from roles.service.plan import pinned_config_notes, plan
from roles.service.released import Released, key, released
from roles.service.stack import definitions
from runbooks.release import release, rollback
from runbooks.release.plan import at, rollback_order, stack, waves, work
from runbooks.release.record import Running, begun, committed, history, releases, rolled_back, target
from tests.plan.environments import environment

OLD = Released("1.0.0", "sha256:aa", "auth-service-old")
NEW = Released("2.4.1", "sha256:bb", "auth-service-new")


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


@pytest.mark.parametrize("given", [{"canary": 10}, {"build": True}])
def test_front_ends_have_no_canary_and_no_images(given):
    with pytest.raises(OperatorError, match="for services, so drop them"):
        release([], frontends="core-os", **given)


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
