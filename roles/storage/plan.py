"""Object storage on one host: SeaweedFS with TLS, buckets of backups and of services, an identity for each.

An environment with an external bucket names its host in `storage_endpoint` and leaves the group empty. Then this role
installs nothing, and `access` says how hosts reach the external bucket. bucket.py is about buckets of services.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.plan.desired import Desired, Directory, File, State, Unit, User
from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.storage import bucket as buckets

SOURCE = Path(__file__).parent / "host/state.py"
ACCOUNT = "seaweedfs"
UNIT = "seaweedfs.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
FRONT = "/etc/systemd/system/seaweedfs-front"
IDENTITIES = "/etc/seaweedfs/identities.json"
PROGRAMS = "/usr/local/lib/nexus-cos/seaweedfs"  # one folder for each release
PORTS = {"master": 9333, "volume": 9340, "filer": 9350}  # on loopback; each also uses the port 10,000 above
METRICS_PORT = 9327  # on loopback
SYSTEM_CA = "/etc/ssl/certs/ca-certificates.crt"
BACKUP, ADMIN, COPY = "backup", "admin", "copy"  # uses, each with its own key
# Backups: only their own bucket. The copy of all buckets, roles/backup/copy.py: reads them, and changes none.
ACTIONS = {BACKUP: ("Read", "Write", "List", "Tagging"), COPY: ("Read", "List")}


def inner_port(env: Environment) -> int:
    """The port where S3 can be configured without credentials; it is closed to other hosts."""
    return int(env.setting.storage_port) + 10_000


def plan(env: Environment, host: Host) -> Desired:
    """The server, on the group's first host; nothing on the others."""
    if host != server(env):
        return Desired()
    binary = f"{PROGRAMS}/{env.setting.storage_release}/bin/weed"
    values = {"binary": binary, "host": host, "identities": IDENTITIES, "certificate": LEAF, "key": KEY, "ca": CA}
    known = identities(env)
    content = json.dumps({"identities": known}, indent=1) + "\n"
    names = [identity["name"] for identity in known]
    unit = env.render("storage/seaweedfs.service.j2", ports=PORTS, metrics_port=METRICS_PORT, names=names, **values)
    port = env.setting.storage_port
    return Desired(
        packages=("python3", "python3-pip"),
        users=(User(ACCOUNT, groups=(KEY_GROUP,), home=str(env.setting.storage_directory)),),
        directories=(
            Directory(str(env.setting.storage_directory), ACCOUNT, ACCOUNT, 0o700),
            Directory("/etc/seaweedfs", group=ACCOUNT, mode=0o750),
        ),
        files=(
            File(IDENTITIES, content, group=ACCOUNT, mode=0o640, secret=True),
            File(UNIT_FILE, unit),
            File(f"{FRONT}.socket", env.render("storage/front.socket.j2", host=host)),
            File(f"{FRONT}.service", env.render("storage/front.service.j2")),
        ),
        units=(
            Unit(
                UNIT,
                restart_on=(UNIT_FILE, LEAF, KEY),
                reload_on=(IDENTITIES,),
                ready_check=f"curl -sS -o /dev/null -m 5 --cacert {CA} https://127.0.0.1:{port}/healthz",
            ),
            Unit("seaweedfs-front.socket"),
        ),
        states=(_program(env), _buckets(env)),
    )


def notes(env: Environment) -> list[str]:
    """Notes about missing buckets and unused hosts; OperatorError for two endpoints, a malformed endpoint or a
    bucket name that is invalid. Roles that use the bucket call this too: with an external endpoint no host has this
    role.
    """
    if env.setting.storage_endpoint and env.group("storage"):
        raise OperatorError(
            f'storage_endpoint is "{env.setting.storage_endpoint}", but the group storage of {env.name} is not '
            "empty: backups go to only one of them. Empty one of the two"
        )
    endpoint = str(env.setting.storage_endpoint)
    if "/" in endpoint or ":" in endpoint:
        raise OperatorError(
            f'storage_endpoint is "{endpoint}": set only the host name, such as '
            "s3.eu-central-1.amazonaws.com; storage_port holds its port"
        )
    if present(env):
        buckets.check(env, bucket(env))
    found = buckets.missing(env)
    if len(env.group("storage")) > 1:
        names = ", ".join(host.name for host in env.group("storage"))
        found.append(f"object storage is one server: only the first of {names} runs it")
    return found


def server(env: Environment) -> Host | None:
    """The host that runs the server; None where the group is empty."""
    return next(iter(env.group("storage")), None)


def present(env: Environment) -> bool:
    """Whether the environment has a bucket for backups, its own or an external one."""
    return bool(env.setting.storage_endpoint or server(env))


def bucket(env: Environment) -> str:
    """Name of the bucket of backups."""
    return str(env.setting.storage_bucket or env.catalogue.operations.backups.bucket.name)


def bucket_names(env: Environment) -> list[str]:
    """Names of all buckets of the environment: that of backups, then those of services."""
    return [bucket(env), *(buckets.name(env, service.name) for service in buckets.services(env))]


def access(env: Environment, use: str) -> dict[str, Any]:
    """Arguments of roles.storage.host.s3.Bucket: where the bucket of backups is, and the key of this use."""
    host = server(env)
    outside = str(env.setting.storage_endpoint)
    return {
        "endpoint": outside or (host.name if host else ""),
        "port": int(env.setting.storage_port),
        "region": str(env.setting.storage_region),
        "bucket": bucket(env),
        "key": env.secret(f"storage/{use}/key") if outside else f"nexus-{use}",
        "secret": env.secret(f"storage/{use}"),
        "ca": SYSTEM_CA if outside else CA,
    }


def identities(env: Environment, uses: Mapping[str, tuple[str, ...]] = ACTIONS) -> list[dict[str, Any]]:
    """The identities and their permissions, as the server reads them: the administrator's, `uses`, and services."""
    found = [_identity(f"nexus-{ADMIN}", [_key(env, ADMIN)], ["Admin", "Read", "Write", "List", "Tagging"])]
    for use, actions in uses.items():
        opened = bucket_names(env) if use == COPY else [bucket(env)]
        allowed = [f"{action}:{name}" for name in opened for action in actions]
        found.append(_identity(f"nexus-{use}", [_key(env, use)], allowed))
    for service in buckets.services(env):
        name, logins = service.name.replace("-", "_"), buckets.logins(env, service.name)
        found.append(_identity(name, logins, buckets.actions(buckets.name(env, service.name))))
    return found


def _key(env: Environment, use: str) -> tuple[str, str]:
    found = access(env, use)
    return found["key"], found["secret"]


def _identity(name: str, logins: Iterable[tuple[str, str]], actions: list[str]) -> dict[str, Any]:
    credentials = [{"accessKey": key, "secretKey": secret} for key, secret in logins]
    return {"name": name, "credentials": credentials, "actions": actions}


def _program(env: Environment) -> State:
    release, digest = str(env.setting.storage_release), str(env.setting.storage_sha256)
    context = {"about": "program", "folder": PROGRAMS, "release": release}
    return State(
        "storage program",
        SOURCE,
        {"program": {"release": release}},
        context=context,
        payload={"sha256": digest},
        before_units=True,
    )


def _buckets(env: Environment) -> State:
    """The planned buckets. Others stay as they are: their content may exist nowhere else."""
    items = {f"bucket {name}": {"versioned": True} for name in bucket_names(env)}
    context = {"about": "bucket", "access": access(env, ADMIN), "unit_file": UNIT_FILE}
    return State("storage bucket", SOURCE, items, context=context)
