"""How a service logs in to each store, in every form that the usual client libraries read.

`DATABASE_URL` and `DB_*` are the platform's own names; libpq's `PG*` serve clients without a URL, and make them use
TLS. The entry point of the image (templates/image/entry.sh) tells clients which authorities to trust; only libpq is
told here, since it trusts none by default.
"""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from nexus.catalogue import Service
from nexus.environment.environment import Environment
from roles.mongodb import plan as mongodb
from roles.redis.instance import instance_of
from roles.storage import bucket

DIRECTORY = "/run/secrets"  # where the entry point reads its files, also in images of earlier releases
CA = f"{DIRECTORY}/ca.pem"
# What is not secret in a login. User names are not in it: they rotate with their passwords.
PLAIN = {
    *("DB_HOST", "DB_PORT", "DB_NAME", "PGHOST", "PGPORT", "PGDATABASE", "PGSSLMODE", "PGSSLROOTCERT"),
    *("S3_ENDPOINT", "S3_REGION", "S3_BUCKET", "S3_FORCE_PATH_STYLE"),
    *("AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION"),
}
HTTPS = 443
DIRECT = "postgresql_direct"  # its name in `Environment.addresses`


def direct(env: Environment) -> tuple[str, int]:
    """Address and port of PostgreSQL past the pooler, which does not keep a session for one client."""
    if env.addresses is not None:
        return env.store("postgresql", DIRECT)
    return env.store("postgresql")[0], int(env.setting.postgresql_proxy_direct_port)


def postgresql(env: Environment, service: Service, at: tuple[str, int] | None = None) -> dict[str, str]:
    """The login through the pooler, or `at` another address and port."""
    (host, port), (user, password) = at or env.store("postgresql"), env.login("postgresql", service.name)
    login = f"{quote(user)}:{quote(password, safe='')}"
    plain = {"HOST": host, "PORT": str(port), "USER": user, "PASSWORD": password}
    return {
        "DATABASE_URL": f"postgresql://{login}@{host}:{port}/{service.database}?sslmode=verify-full",
        **{f"DB_{name}": value for name, value in plain.items()},
        "DB_NAME": service.database,
        **{f"PG{name}": value for name, value in plain.items()},
        "PGDATABASE": service.database,
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": CA,
    }


def _redis(env: Environment, service: Service) -> dict[str, str]:
    (host, port), password = env.store("redis", instance_of(service).prefix), env.secret(f"redis/{service.name}")
    return {"REDIS_URL": f"rediss://{service.name}:{quote(password, safe='')}@{host}:{port}/0"}


def _rabbitmq(env: Environment, service: Service) -> dict[str, str]:
    (host, port), (user, password) = env.store("rabbitmq"), env.login("rabbitmq", service.name)
    vhost = quote(service.name, safe="")
    url = f"amqps://{quote(user)}:{quote(password, safe='')}@{host}:{port}/{vhost}"
    return {"RABBITMQ_URL": url, "AMQP_URL": url}


def _mongodb(env: Environment, service: Service) -> dict[str, str]:
    user, password = env.login("mongodb", service.name)  # drivers find the primary of a replica set
    options = f"tls=true&replicaSet={mongodb.SET}&authSource={service.database}"
    login, hosts = f"{user}:{quote(password, safe='')}", ",".join(mongodb.members(env))
    url = f"mongodb://{login}@{hosts}/{service.database}?{options}"
    return {"MONGODB_URL": url, "MONGODB_URI": url}


def _object_storage(env: Environment, service: Service) -> dict[str, str]:
    """The endpoint of S3 only: a service may use other services of AWS, which are not ours."""
    (host, port), (key, secret) = env.store(bucket.STORE), bucket.login(env, service.name)
    endpoint = f"https://{host}" if port == HTTPS else f"https://{host}:{port}"
    region = str(env.setting.storage_region)
    return {
        "S3_ENDPOINT": endpoint,
        "S3_REGION": region,
        "S3_BUCKET": bucket.name(env, service.name),
        "S3_FORCE_PATH_STYLE": "true",  # our server supports no other, and no certificate is for BUCKET.ADDRESS
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
    }


ACCESS: Mapping[str, Callable[[Environment, Service], dict[str, str]]] = {
    "postgresql": postgresql,
    "redis": _redis,
    "rabbitmq": _rabbitmq,
    "mongodb": _mongodb,
    bucket.STORE: _object_storage,
}
