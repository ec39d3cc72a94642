"""The stack of the real catalogue, what services are told, and when one counts as healthy."""

import hashlib
import json
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import yaml
from cluster import WEAK, environment

from roles.kit.error import OperatorError
from roles.kit.settings import Settings
from roles.service import remote, rollout
from roles.service.contents import config, credentials, env_file, secrets
from roles.service.plan import STACK, plan, warnings
from roles.service.stack import HEALTH, definition, definitions, properties, stack_file


@pytest.fixture
def env(tmp_path):
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


@pytest.mark.parametrize(("timeout", "wait"), [(12, "6"), (5, "0")])
def test_a_check_that_waits_ends_before_its_timeout(tmp_path, timeout, wait):
    found = definitions(environment(tmp_path, service_health_timeout_seconds=timeout))["key-service"]["healthcheck"]
    assert found["test"][1:] == [HEALTH, wait]
    assert (found["timeout"], found["start_interval"]) == (f"{timeout}s", "1s")


def test_stack_file_is_what_the_definitions_say(env):
    text = stack_file(definitions(env))
    stack = yaml.safe_load(text)
    assert stack["services"] == json.loads(json.dumps(definitions(env)))
    mounted = {
        secret["source"] for content in stack["services"].values() for secret in content.get("secrets", ())
    }
    assert set(stack["secrets"]) == mounted
    assert "&id" not in text  # an anchor in one place would hide a change in another


def test_no_secret_outside_the_payload(env):
    desired = plan(env, env.host("app1"))
    (state,) = desired.states
    open_text = json.dumps([dict(state.items), dict(state.context)]) + str(desired.files[0].content)
    passwords = {env.secret("service/jwt"), env.secret("redis/auth-service")}
    passwords.add(env.login("postgresql", "auth-service")[1])
    assert not [password for password in passwords if password in open_text]
    told = "".join(state.payload["secrets"].values())
    assert all(password in told for password in passwords)
    assert desired.files[0].path == STACK


def test_plan_is_the_first_managers_alone(env, tmp_path):
    assert plan(env, env.host("app2")).states == ()
    assert plan(env, env.host("edge1")).states == ()
    left_out = environment(tmp_path, without="app1")
    assert plan(left_out, left_out.host("app2")).states


def test_configuration_names_stores_and_dependencies(env, tmp_path):
    service = env.catalogue.service("auth-service")
    found = config(env, service)
    assert (found["PORT"], found["STORES"], found["STORES_ABSENT"]) == ("3001", "postgresql,redis", "")
    assert "user-auth=http://user-auth:3003/health" in found["DEPENDS_ON"].split(",")
    without = environment(tmp_path, groups={"app1": "app", "data1": "postgresql"})
    found = config(without, service)
    assert (found["STORES"], found["STORES_ABSENT"]) == ("postgresql", "redis")
    assert "REDIS_URL" not in credentials(without, service)


def test_credentials_lead_to_the_stores_over_tls(env):
    found = credentials(env, env.catalogue.service("user-auth"))
    database, broker = urlsplit(found["DATABASE_URL"]), urlsplit(found["RABBITMQ_URL"])
    user, password = env.login("postgresql", "user-auth")
    assert (database.username, database.password) == (user, password)
    assert (database.hostname, database.port) == env.store("postgresql") == ("10.219.0.1", 5432)
    assert (database.path, database.query) == ("/user_auth", "sslmode=verify-full")
    assert (broker.scheme, broker.path) == ("amqps", "/user-auth")
    cache = urlsplit(credentials(env, env.catalogue.service("session-mgr"))["REDIS_URL"])
    assert (cache.scheme, cache.username) == ("rediss", "session-mgr")


def test_handshake_goes_to_those_that_want_it_only(env):
    have = {
        name
        for name, service in env.catalogue.services.items()
        if "N3XUS_HANDSHAKE" in credentials(env, service)
    }
    assert have == {name for name, service in env.catalogue.services.items() if service.handshake}
    assert have


def test_keys_of_providers_come_from_the_secrets(tmp_path):
    env = environment(tmp_path, service_external_keys={"STRIPE_API_KEY": ["billing-service"]})
    billing, other = env.catalogue.service("billing-service"), env.catalogue.service("auth-service")
    with pytest.raises(OperatorError, match="external/STRIPE_API_KEY"):
        credentials(env, billing)
    env.secrets.get("external/STRIPE_API_KEY", lambda: "sk_1")
    assert credentials(env, billing)["STRIPE_API_KEY"] == "sk_1"
    assert "STRIPE_API_KEY" not in credentials(env, other)


def test_env_file_refuses_what_it_cannot_hold():
    assert env_file({"B": "x=y", "A": "$1"}) == "A=$1\nB=x=y\n"
    with pytest.raises(OperatorError, match="KEY"):
        env_file({"KEY": "a\nb"})


def test_a_changed_value_rolls_exactly_the_services_that_hold_it(env):
    def hashes(**settings):
        changed = replace(env, setting=Settings({**env.setting, **settings}))
        return {name: properties(content)["hash"] for name, content in definitions(changed).items()}

    env.secrets.get("external/STRIPE_API_KEY", lambda: "sk_1")
    before = hashes()
    assert hashes() == before
    after = hashes(service_external_keys={"STRIPE_API_KEY": ["billing-service"]})
    assert [name for name in before if before[name] != after[name]] == ["billing-service"]


def test_secret_names_cannot_be_guessed_from_contents(env):
    named = secrets(env, env.catalogue.service("auth-service"))
    assert [*named] == ["config", "credentials", "ca.pem"]
    for name, content in named.values():
        assert len(name) <= 64  # Docker's limit
        assert hashlib.sha256(content.encode()).hexdigest()[:10] not in name


def test_longest_service_name_fits_into_a_secret_name(env):
    service = env.catalogue.service("auth-service").model_copy(update={"name": "a" * 40})
    assert max(len(name) for name, _ in secrets(env, service).values()) <= 64


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
        tmp_path,
        service_replicas_max=2,
        service_memory_scale=0.5,
        service_replicas={"glitch": 4},
        service_gpu=False,
    )
    found = definitions(env)
    assert found["auth-service"]["deploy"]["replicas"] == 2
    assert found["glitch"]["deploy"]["replicas"] == 4
    assert found["auth-service"]["deploy"]["resources"]["reservations"]["memory"] == str(512 << 20)
    assert "generic_resources" not in found["kei-ai"]["deploy"]["resources"]["reservations"]
    full = definitions(environment(tmp_path))["kei-ai"]["deploy"]["resources"]["reservations"]
    assert full["generic_resources"] == [{"discrete_resource_spec": {"kind": "NVIDIA-GPU", "value": 1}}]


# Health, as the host-side code sees it


WANTED = {"hash": "h1", "replicas": 1}


def service(label="h1", update=None, template=None):
    spec = {
        "Labels": {"nexus.hash": label},
        "TaskTemplate": {**(template or {"v": 1}), "Runtime": "container"},
    }
    return {"ID": "S", "Spec": spec, "UpdateStatus": update or {}}


def task(state, template=None, desired="running"):
    return {
        "ServiceID": "S",
        "Spec": template or {"v": 1},
        "DesiredState": desired,
        "Status": {"State": state},
    }


@pytest.mark.parametrize(
    ("found", "tasks", "healthy", "final"),
    [
        (service(), [task("running")], True, False),
        (service(), [task("starting")], False, False),  # runs, but its health check has not passed yet
        (service(), [task("running", template={"v": 0})], False, False),  # the one before the update
        (service(update={"State": "updating"}), [task("running")], False, False),
        (service(update={"State": "completed"}), [task("running")], True, False),
        (service(label="h0", update={"Message": "failed"}), [task("running")], False, True),  # rolled back
        (service(), [task("rejected", desired="shutdown")] * 3, False, True),
        (None, [], False, True),
    ],
)
def test_when_a_service_is_healthy(found, tasks, healthy, final):
    reason, hopeless = rollout.unhealthy(found, tasks, WANTED)
    assert (not reason, hopeless) == (healthy, final)


def test_a_global_service_needs_every_task():
    wanted = {"hash": "h1", "replicas": None}
    assert rollout.unhealthy(service(), [task("running"), task("running")], wanted) == ("", False)
    assert rollout.unhealthy(service(), [task("running"), task("starting")], wanted)[0] == "1 of 2 tasks run"
    assert rollout.unhealthy(service(), [], wanted)[0] == "0 of 1 tasks run"


def test_secrets_of_a_rollback_are_kept():
    def spec(*names):
        return {"TaskTemplate": {"ContainerSpec": {"Secrets": [{"SecretName": name} for name in names]}}}

    assert remote._held({"Spec": spec("new"), "PreviousSpec": spec("old")}) == {"new", "old"}
    old = {"Spec": {"Name": "old"}, "CreatedAt": "2020-01-01T00:00:00.1Z"}
    assert remote._left_over(old, {"new"}, keep_days=30)
    assert not remote._left_over(old, {"new", "old"}, keep_days=30)
    young = {"Spec": {"Name": "young"}, "CreatedAt": "2999-01-01T00:00:00.1Z"}
    assert not remote._left_over(young, set(), keep_days=30)


def test_services_are_given_another_log_in_at_the_registry(tmp_path):
    """Their tasks could not be started on another host with the one that Swarm keeps."""
    before = definitions(environment(tmp_path))
    after = definitions(environment(tmp_path, registry_user="another"))
    for name, content in before.items():
        labels, changed = (found[name]["deploy"]["labels"] for found in (before, after))
        assert labels["nexus.registry"] != changed["nexus.registry"]
        assert labels["nexus.hash"] != changed["nexus.hash"]
        assert content["image"] == after[name]["image"]


@pytest.mark.parametrize(
    ("error", "state", "waits", "deployed"),
    [
        ("starting container failed: device or resource busy", "rollback_completed", True, ["glitch"]),
        ("starting container failed: device or resource busy", "rollback_started", True, []),
        ("task: non-zero exit (1)", "rollback_completed", False, []),
    ],
)
def test_a_service_that_its_engine_could_not_start_is_deployed_once_more(
    monkeypatch, error, state, waits, deployed
):
    tried = []
    monkeypatch.setattr(rollout, "deploy", lambda definitions: tried.extend(definitions))
    found = {"ID": "S", "UpdateStatus": {"State": state}}
    failed = {"ID": "T2", "ServiceID": "S", "Status": {"State": "failed", "Err": error}}
    earlier = {"ID": "T1", "ServiceID": "S", "Status": {"State": "failed", "Err": "non-zero exit (1)"}}
    step = rollout.Rollout(Engine([earlier]), {}, phase_seconds=1)
    assert step._goes_on(found, [earlier, failed], "glitch", {}) is waits
    assert tried == deployed
    if deployed:  # and never a third time
        assert not step._goes_on(found, [earlier, failed], "glitch", {})


class Engine:
    """Docker's API as far as lists of tasks go."""

    def __init__(self, tasks):
        self.tasks = tasks

    def list(self, kind, **filters):
        return list(self.tasks)


def test_what_nodes_refused_before_a_step_is_not_held_against_it():
    refused = [{"ID": f"T{number}", "Status": {"State": "rejected"}} for number in range(3)]
    engine = Engine(refused)
    step = rollout.Rollout(engine, {}, phase_seconds=1)
    assert step._tasks(["glitch"]) == []
    engine.tasks.append({"ID": "T9", "Status": {"State": "rejected"}})
    assert [task["ID"] for task in step._tasks(["glitch"])] == ["T9"]
