"""The stack of the real catalogue: services, images, limits and sizes, and which changes roll a service."""

import json
from dataclasses import replace

import pytest
import yaml

from nexus.environment.settings import Settings
from roles.service.plan import STACK, plan
from roles.service.scale import warnings
from roles.service.stack import HEALTH, definition, definitions, properties, stack_file
from tests.plan.environments import WEAK, environment


@pytest.fixture(name="env")
def env_(tmp_path):
    return environment(tmp_path)


def test_every_service_of_the_catalogue_is_in_the_stack(env):
    found = definitions(env)
    assert [*found] == [*env.catalogue.services, "router"]
    phases = [int(content["deploy"]["labels"]["nexus.phase"]) for content in found.values()]
    assert phases == sorted(phases)
    for name in env.catalogue.services:
        assert found[name]["deploy"]["endpoint_mode"] == "dnsrr"  # virtual addresses would need IPVS
        assert found[name]["deploy"]["update_config"]["order"] == "start-first"
        assert found[name]["deploy"]["update_config"]["failure_action"] == "rollback"


def test_a_check_that_lasts_ends_before_the_engine_ends_it(tmp_path):
    found = environment(
        tmp_path, service_health_interval_seconds=7, service_health_timeout_seconds=4, service_health_watch_seconds=90
    )
    check = definitions(found)["key-service"]["healthcheck"]
    program, *numbers = check["test"][1:]
    start, watch, period, answer = map(int, numbers)
    assert (program, watch, period, answer) == (HEALTH, 90, 7, 4)
    assert check["interval"] == "7s"
    assert int(check["timeout"].removesuffix("s")) > max(start, watch) + 2 * answer


def test_stack_file_matches_the_definitions(env):
    text = stack_file(definitions(env))
    stack = yaml.safe_load(text)
    assert stack["services"] == json.loads(json.dumps(definitions(env)))
    for kind in ("configs", "secrets"):
        mounted = {file["source"] for content in stack["services"].values() for file in content.get(kind, ())}
        assert mounted
        assert set(stack[kind]) == mounted
    assert "&id" not in text  # an anchor in one place would hide a change in another


def test_no_secret_outside_the_payload(env):
    desired = plan(env, env.host("app1"))
    (state,) = desired.states
    open_text = json.dumps([dict(state.items), dict(state.context)]) + str(desired.files[0].content)
    passwords = {env.secret("service/jwt"), env.secret("redis/auth-service")}
    passwords.add(env.login("postgresql", "auth-service")[1])
    assert not [password for password in passwords if password in open_text]
    told = {kind: "".join(text for item, text in state.payload["contents"].items() if item.startswith(kind))
            for kind in ("config ", "secret ")}  # fmt: skip
    assert all(password in told["secret "] for password in passwords)
    assert not [password for password in passwords if password in told["config "]]
    assert desired.files[0].path == STACK


def test_only_the_first_manager_has_the_plan(env, tmp_path):
    assert plan(env, env.host("app2")).states == ()
    assert plan(env, env.host("edge1")).states == ()
    left_out = environment(tmp_path, without="app1")
    assert plan(left_out, left_out.host("app2")).states


def test_a_changed_value_rolls_exactly_the_services_that_hold_it(env):
    def hashes(**settings):
        changed = replace(env, setting=Settings({**env.setting, **settings}))
        return {name: properties(content)["hash"] for name, content in definitions(changed).items()}

    env.secrets.get("external/STRIPE_API_KEY", lambda: "sk_1")
    before = hashes()
    assert hashes() == before
    after = hashes(service_external_keys={"STRIPE_API_KEY": ["billing-service"]})
    assert [name for name in before if before[name] != after[name]] == ["billing-service"]


def test_images_are_pinned_by_digest_once_known(env):
    service = env.catalogue.service("auth-service")
    assert definition(env, service)["image"] == f"ops1:5000/nexus-cos/auth-service:{env.setting.release}"
    known = replace(env, digests={"auth-service": "sha256:ab", "router": "sha256:cd"})
    assert definition(known, service)["image"].endswith("@sha256:ab")
    assert definitions(known)["router"]["image"].endswith("@sha256:cd")


def test_limits_only_where_every_app_host_enforces_them(tmp_path):
    strong, weak = environment(tmp_path), environment(tmp_path, docker=WEAK)
    service = strong.catalogue.service("auth-service")
    assert definition(strong, service)["deploy"]["resources"]["limits"]["memory"] == str(1 << 30)
    assert "limits" not in definition(weak, service)["deploy"]["resources"]
    assert definition(weak, service)["deploy"]["resources"]["reservations"]["memory"] == str(1 << 30)
    assert warnings(strong) == []
    assert [line.split(":")[0] for line in warnings(weak)] == ["app1", "app2", "app3"]


def test_size_follows_the_environment(tmp_path):
    env = environment(
        tmp_path, service_replicas_max=2, service_memory_scale=0.5, service_replicas={"glitch": 4}, service_gpu=False
    )
    found = definitions(env)
    assert found["auth-service"]["deploy"]["replicas"] == 2
    assert found["glitch"]["deploy"]["replicas"] == 4
    assert found["auth-service"]["deploy"]["resources"]["reservations"]["memory"] == str(512 << 20)
    assert "generic_resources" not in found["kei-ai"]["deploy"]["resources"]["reservations"]
    full = definitions(environment(tmp_path))["kei-ai"]["deploy"]["resources"]["reservations"]
    assert full["generic_resources"] == [{"discrete_resource_spec": {"kind": "NVIDIA-GPU", "value": 1}}]


def test_services_get_a_new_registry_login(tmp_path):
    """With the old login that Swarm keeps, their tasks could not start on another host."""
    before = definitions(environment(tmp_path))
    after = definitions(environment(tmp_path, registry_user="another"))
    for name, content in before.items():
        labels, changed = (found[name]["deploy"]["labels"] for found in (before, after))
        assert labels["nexus.registry"] != changed["nexus.registry"]
        assert labels["nexus.hash"] != changed["nexus.hash"]
        assert content["image"] == after[name]["image"]
