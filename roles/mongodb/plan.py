"""MongoDB on one host: a member of the replica set that the hosts of the group form, one or three.

It uses authentication and TLS everywhere. One host founds the set and manages its users, at the primary.

Any environment can plan and render it. It is carried out only where hosts reach the vendor's repository and the
project has the vendor's signing key.
"""

import hmac
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.environment.quorum import check_members
from nexus.environment.vendor_key import signing_key
from nexus.plan.desired import Desired, File, State, Unit
from roles.certificate.plan import CA, KEY, LEAF

UNIT = "mongod"
IN_ORDER = ("mongodb-.*",)
CONFIG = "/etc/mongod.conf"
MEMBERS_KEY = "/etc/mongod.key"  # the key with which members of the set authenticate to each other
SET = "nexus-cos"
PEM = "/run/mongodb/leaf-and-key.pem"
KEYRING = "/usr/share/keyrings/mongodb-server.asc"
SOURCES = "/etc/apt/sources.list.d/mongodb.sources"
DROP_IN = f"/etc/systemd/system/{UNIT}.service.d/10-nexus-cos.conf"
ADMIN = "nexus-admin"
ASSUMED_MEMORY_BYTES = 16 * 1024**3  # of a host that was not probed yet; the documents' figure
SMALLEST_CACHE_GIB = 0.25  # MongoDB's own minimum


def plan(env: Environment, host: Host) -> Desired:
    """Plan the vendor's packages with our configuration; raise OperatorError without the vendor's key."""
    config = env.render(
        "mongodb/mongod.conf.j2", host=host, pem=PEM, ca=CA, cache_gib=_cache_gib(host), set=SET, key=MEMBERS_KEY
    )
    key = env.secret("mongodb/members").replace("-", "+").replace("_", "/") + "\n"  # it must be base64
    service = env.render("mongodb/service.conf.j2", pem=PEM, certificate=LEAF, key=KEY)
    return Desired(
        early=(
            File(KEYRING, signing_key(env, "MongoDB", "mongodb", "leave the group mongodb empty")),
            File(SOURCES, env.render("mongodb/mongodb.sources.j2", keyring=KEYRING)),
        ),
        packages=("mongodb-org-server", "mongodb-mongosh", "mongodb-org-tools"),
        files=(
            File(CONFIG, config),
            File(DROP_IN, service),
            File(MEMBERS_KEY, key, owner="mongodb", group="mongodb", mode=0o400, secret=True),
        ),
        units=(Unit(UNIT, restart_on=(CONFIG, DROP_IN, MEMBERS_KEY, CA, LEAF, KEY)),),
        states=(_members(env, host), _users(env)) if host == env.speaker("mongodb") else (),
    )


def preflight(env: Environment, host: Host) -> str:
    """A shell command that exits with 1 and the reason if the packages are missing and cannot be fetched."""
    setting = env.setting
    suite = f"{setting.mongodb_suite}/mongodb-org/{setting.mongodb_version}"
    url = f"{setting.mongodb_repository}/dists/{suite}/InRelease"
    return env.render("mongodb/preflight.sh.j2", url=url, host=host)


def notes(env: Environment) -> list[str]:
    """Raise OperatorError for a number of members that tolerates no more failures than one member fewer."""
    check_members(env, "mongodb")
    return []


def members(env: Environment) -> list[str]:
    """ADDRESS:PORT of every member."""
    if env.addresses is not None:
        return list(env.addresses["mongodb"])
    return [_endpoint(env, host) for host in env.group("mongodb")]


def users(env: Environment) -> dict[str, dict[str, Any]]:
    """Two logins for each service, which may read and write its own database and nothing else."""
    return {
        f"user {service.database}.{user}": {
            "service": service.name,
            "fingerprint": hmac.digest(password.encode(), f"mongodb/{user}".encode(), "sha256").hex(),
            "roles": [f"readWrite@{service.database}"],
        }
        for service in env.catalogue.services_of_store("mongodb")
        for user, password in env.logins("mongodb", service.name)
    }


def passwords(env: Environment) -> dict[str, str]:
    """{user as in `users`: password}."""
    return {
        f"user {service.database}.{user}": password
        for service in env.catalogue.services_of_store("mongodb")
        for user, password in env.logins("mongodb", service.name)
    }


def _endpoint(env: Environment, host: Host) -> str:
    return f"{host.address}:{env.setting.mongodb_port}"


def _context(env: Environment) -> dict[str, Any]:
    there = [host for host in env.group("mongodb") if host.name not in env.left_out]
    return {
        "port": env.setting.mongodb_port,
        "ca": CA,
        "user": ADMIN,
        "password": env.secret("mongodb/admin"),
        "set": SET,
        "hosts": members(env),
        "there": [_endpoint(env, host) for host in there],
    }


def _members(env: Environment, host: Host) -> State:
    """The members of the replica set."""
    seconds = int(env.setting.mongodb_join_seconds)
    return State(
        "mongodb members",
        Path(__file__).parent / "host/members.py",
        {"replica set": {"members": sorted(members(env))}},
        context={**_context(env), "address": _endpoint(env, host), "wait_seconds": seconds},
    )


def _users(env: Environment) -> State:
    return State(
        "mongodb",
        Path(__file__).parent / "host/state.py",
        users(env),
        context=_context(env),
        payload=passwords(env),  # the server makes its own verifiers from them and takes no others
        extra="remove",
    )


def _cache_gib(host: Host) -> float:
    memory = host.traits.memory_bytes if host.traits else ASSUMED_MEMORY_BYTES
    share = int(host.setting.mongodb_memory_percent) / 100
    return max(SMALLEST_CACHE_GIB, round(memory * share / 1024**3, 2))
