"""The log store on the first ops host: Debian's systemd-journal-remote behind stunnel, and a program that packs.

Lines of all hosts are in one journal. A file of it that is full or a day old is closed, compressed and stored in object
storage; it stays on the host as long as operations.yaml promises and the size allows.
"""

import json
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.error import OperatorError
from nexus.plan.desired import Desired, Directory, File, Unit
from nexus.plan.sent import program
from roles.certificate.plan import CA, KEY, KEY_GROUP, LEAF
from roles.storage.plan import BACKUP, access, present

PACKAGE = "systemd-journal-remote"
ACCOUNT = "systemd-journal-remote"  # the package makes it
DIRECTORY = "/var/log/journal/remote"
SERVICE, SOCKET = f"{PACKAGE}.service", f"{PACKAGE}.socket"
DOOR_UNIT = "nexus-log-store-tls.service"
DOOR = "/etc/nexus-cos/log-store-tls.conf"  # of stunnel
RECEIVER = "/run/nexus-log-store.sock"  # from stunnel to systemd-journal-remote
UNITS = "/etc/systemd/system"
CONFIG = "/etc/systemd/journal-remote.conf.d/10-nexus-cos.conf"
LIBRARY = "/usr/local/lib/nexus-cos/log-store"
PACK = "roles.log_store.host.pack"  # the module that packs
PACK_CONFIG = "/etc/nexus-cos/log-store.json"
PACK_UNIT = "nexus-log-pack"
MEGABYTE = 1_000_000


def server(env: Environment) -> Host | None:
    """The host that keeps the logs of all; None where the environment has no ops host."""
    return next(iter(env.group("ops")), None)


def plan(env: Environment, host: Host) -> Desired:
    """The receiver and the packing; nothing on other ops hosts."""
    if host != server(env):
        return Desired()
    values = {"host": host, "certificate": LEAF, "key": KEY, "ca": CA, "group": KEY_GROUP, "account": ACCOUNT}
    values |= {"directory": DIRECTORY, "socket": RECEIVER, "config": DOOR, "sizes": _sizes(env)}
    drop_in, listen = f"{UNITS}/{SERVICE}.d/10-nexus-cos.conf", f"{UNITS}/{SOCKET}.d/10-nexus-cos.conf"
    door = f"{UNITS}/{DOOR_UNIT}"
    return Desired(
        packages=(PACKAGE, "python3", "stunnel4", "zstd"),
        directories=(Directory(DIRECTORY, ACCOUNT, ACCOUNT),),
        files=(
            File(CONFIG, env.render("log_store/remote.conf.j2", **values)),
            File(drop_in, env.render("log_store/remote.service.j2", **values)),
            File(listen, env.render("log_store/remote.socket.j2", **values)),
            File(DOOR, env.render("log_store/tls.conf.j2", **values)),
            File(door, env.render("log_store/tls.service.j2", **values)),
            *_packing(env, host),
        ),
        units=(
            Unit(SOCKET),
            Unit(SERVICE, restart_on=(CONFIG, drop_in, listen)),
            Unit(DOOR_UNIT, restart_on=(DOOR, door, CA, LEAF, KEY)),
            Unit(f"{PACK_UNIT}.timer"),
        ),
    )


def _packing(env: Environment, host: Host) -> list[File]:
    """The program that packs, what it reads, and its timer."""
    values = {"library": LIBRARY, "program": PACK, "config": PACK_CONFIG, "directory": DIRECTORY}
    service = env.render("log_store/pack.service.j2", **values)
    timer = env.render("log_store/pack.timer.j2", seconds=host.setting.log_store_pack_seconds)
    return [
        *(File(f"{LIBRARY}/{path}", text) for path, text in program([PACK]).items()),
        File(PACK_CONFIG, json.dumps(configuration(env), indent=1) + "\n", mode=0o600, secret=True),
        File(f"{UNITS}/{PACK_UNIT}.service", service),
        File(f"{UNITS}/{PACK_UNIT}.timer", timer),
    ]


def configuration(env: Environment) -> dict[str, Any]:
    """What the program that packs reads. Without object storage it only removes what is too old."""
    logging = env.catalogue.operations.logging
    return {
        "directory": DIRECTORY,
        "units": [SERVICE, SOCKET],
        "hot_days": logging.retention_hot_days,
        "archive_days": env.setting.log_store_archive_days or logging.retention_archive_days,
        "file_hours": env.setting.log_store_file_hours,
        "file_bytes": _sizes(env)["file"],
        "closed_bytes": _sizes(env)["closed"],
        "storage": access(env, BACKUP) if present(env) else None,
    }


def _sizes(env: Environment) -> dict[str, int]:
    """Bytes of one file, and of all that are closed: the one that is written to is not counted among them."""
    most, file = env.setting.log_store_megabytes_max, env.setting.log_store_file_megabytes
    if most < 2 * file:
        raise OperatorError(
            f"log_store_megabytes_max is {most}: too small for files of {file} MB (log_store_file_megabytes). "
            f"Set it to {2 * file} or more"
        )
    return {"file": file * MEGABYTE, "closed": (most - file) * MEGABYTE}
