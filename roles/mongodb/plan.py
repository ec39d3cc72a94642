"""MongoDB on one host: the vendor's repository, configuration with authentication and TLS, users.

Planned and rendered everywhere; carried out where the vendor's repository can be reached and its
signing key was put into the project.
"""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

from roles.certificate.plan import CA, KEY, LEAF
from roles.kit.environment import Environment, Host
from roles.kit.error import OperatorError
from roles.kit.model import Desired, File, State, Unit

UNIT = "mongod"
CONFIG = "/etc/mongod.conf"
PEM = "/run/mongodb/leaf-and-key.pem"
KEYRING = "/usr/share/keyrings/mongodb-server.asc"
SOURCES = "/etc/apt/sources.list.d/mongodb.sources"
DROP_IN = f"/etc/systemd/system/{UNIT}.service.d/10-nexus-cos.conf"
ADMIN = "nexus-admin"
ASSUMED_MEMORY_BYTES = 16 * 1024**3  # of a host that was not asked yet, as the documents have them
SMALLEST_CACHE_GIB = 0.25  # MongoDB's own minimum


def plan(env: Environment, host: Host) -> Desired:
    """The vendor's packages behind our configuration; raises OperatorError without the vendor's key."""
    config = env.render("mongodb/mongod.conf.j2", host=host, pem=PEM, ca=CA, cache_gib=_cache_gib(host))
    service = env.render("mongodb/service.conf.j2", pem=PEM, certificate=LEAF, key=KEY)
    return Desired(
        early=(
            File(KEYRING, _signing_key(env)),
            File(SOURCES, env.render("mongodb/mongodb.sources.j2", keyring=KEYRING)),
        ),
        packages=("mongodb-org-server", "mongodb-mongosh", "mongodb-org-tools"),
        files=(File(CONFIG, config), File(DROP_IN, service)),
        units=(Unit(UNIT, restart_on=(CONFIG, DROP_IN, CA, LEAF, KEY)),),
        states=(_state(env),),
    )


def preflight(env: Environment, host: Host) -> str:
    """A shell command that ends with 1 and says why when the packages are missing and cannot be fetched."""
    setting = env.setting
    suite = f"{setting.mongodb_suite}/mongodb-org/{setting.mongodb_version}"
    url = f"{setting.mongodb_repository}/dists/{suite}/InRelease"
    return env.render("mongodb/preflight.sh.j2", url=url, host=host)


def users(env: Environment) -> dict[str, dict[str, Any]]:
    """Two log-ins for each service, which may read and write its own database and nothing else."""
    return {
        f"user {service.database}.{user}": {
            "service": service.name,
            "fingerprint": hmac.digest(password.encode(), f"mongodb/{user}".encode(), "sha256").hex(),
            "roles": [f"readWrite@{service.database}"],
        }
        for service in env.catalogue.services_of_store("mongodb")
        for user, password in env.logins("mongodb", service.name)
    }


def _state(env: Environment) -> State:
    passwords = {
        f"user {service.database}.{user}": password
        for service in env.catalogue.services_of_store("mongodb")
        for user, password in env.logins("mongodb", service.name)
    }
    return State(
        "mongodb",
        Path(__file__).with_name("remote.py"),
        users(env),
        context={
            "port": env.setting.mongodb_port,
            "ca": CA,
            "user": ADMIN,
            "password": env.secret("mongodb/admin"),
        },
        payload=passwords,  # the server makes its own verifiers from them and takes no others
        extra="remove",
    )


def _cache_gib(host: Host) -> float:
    memory = host.traits.memory_bytes if host.traits else ASSUMED_MEMORY_BYTES
    share = int(host.setting.mongodb_memory_percent) / 100
    return max(SMALLEST_CACHE_GIB, round(memory * share / 1024**3, 2))


def _signing_key(env: Environment) -> str:
    path = env.root / str(env.setting.mongodb_key_file)
    if not path.is_file():
        raise OperatorError(
            f"MongoDB: {path} is missing, the key that signs the vendor's packages. Fetch it with "
            f"`curl -fsS --create-dirs -o {env.setting.mongodb_key_file} {env.setting.mongodb_key_url}` and "
            "compare its fingerprint with the vendor's, or leave the group mongodb empty"
        )
    return path.read_text()
