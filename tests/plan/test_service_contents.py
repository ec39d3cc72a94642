"""What services get: configuration, credentials, and names of secrets that reveal nothing."""

import hashlib
from urllib.parse import urlsplit

import pytest

from nexus.error import OperatorError
from roles.service.access import PLAIN
from roles.service.contents import config, credentials, env_file, migration_credentials, mounted
from tests.plan.environments import environment
from tests.plan.test_service import env_  # noqa: F401 - a fixture


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


def test_clients_without_a_url_find_postgresql_over_tls(env):
    found = credentials(env, env.catalogue.service("invoice-gen"))
    url = urlsplit(found["DATABASE_URL"])
    for prefix, name in (("DB_", "NAME"), ("PG", "DATABASE")):
        told = [found[f"{prefix}{part}"] for part in ("HOST", "PORT", name, "USER", "PASSWORD")]
        assert told == [url.hostname, str(url.port), url.path[1:], url.username, url.password]
    assert (found["PGSSLMODE"], found["PGSSLROOTCERT"]) == ("verify-full", "/run/secrets/ca.pem")


def test_a_migration_bypasses_the_pooler_in_every_form(env):
    direct = str(env.setting.postgresql_proxy_direct_port)
    found = migration_credentials(env, env.catalogue.service("invoice-gen"))
    assert {found["DB_PORT"], found["PGPORT"], str(urlsplit(found["DATABASE_URL"]).port)} == {direct}


def test_one_store_has_the_same_address_under_all_its_names(env):
    found = credentials(env, env.catalogue.service("user-auth"))
    assert found["AMQP_URL"] == found["RABBITMQ_URL"]


def test_only_services_that_want_the_handshake_get_it(env):
    have = {name for name, service in env.catalogue.services.items() if "N3XUS_HANDSHAKE" in credentials(env, service)}
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


def test_env_file_refuses_values_it_cannot_hold():
    assert env_file({"B": "x=y", "A": "$1"}) == "A=$1\nB=x=y\n"
    with pytest.raises(OperatorError, match="KEY"):
        env_file({"KEY": "a\nb"})


def test_secret_names_cannot_be_guessed_from_contents(env):
    files = mounted(env, env.catalogue.service("auth-service"))
    kinds = {path: item.split()[0] for path, (item, _) in files.items()}
    wanted = {"config": "config", "credentials": "secret", "ca.pem": "config"}
    assert kinds == {f"/run/secrets/{file}": kind for file, kind in wanted.items()}
    for item, content in files.values():
        assert len(item.split()[1]) <= 64  # Docker's limit
        assert hashlib.sha256(content.encode()).hexdigest()[:10] not in item


def test_configuration_names_hosts_and_ports_and_holds_no_secret(tmp_path):
    env = environment(tmp_path, service_external_keys={"STRIPE_API_KEY": ["*"]})
    env.secrets.get("external/STRIPE_API_KEY", lambda: "sk_1")
    for service in env.catalogue.services.values():
        plain, hidden = config(env, service), credentials(env, service)
        assert {key: plain.get(key) for key in hidden if key in PLAIN} == {
            key: value for key, value in hidden.items() if key in PLAIN
        }
        assert not {key for key in hidden if key not in PLAIN} & set(plain)
        values = [value for key, value in hidden.items() if key not in PLAIN and len(value) > 8]
        assert values
        assert not [value for value in values if value in env_file(plain)]
    found = config(env, env.catalogue.service("auth-service"))
    assert (found["DB_HOST"], found["DB_PORT"], found["PORT"]) == ("10.219.0.1", "5432", "3001")


def test_longest_service_name_fits_into_a_secret_name(env):
    service = env.catalogue.service("auth-service").model_copy(update={"name": "a" * 40})
    assert max(len(item.split()[1]) for item, _ in mounted(env, service).values()) <= 64
