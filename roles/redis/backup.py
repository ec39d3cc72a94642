"""The backup and restore of Redis: its persistent instance, at whichever host's server is primary."""

from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.run.run import Run
from roles.backup.store import Store
from roles.redis.instance import PERSISTENT
from roles.redis.users import ADMIN

SOURCE = Path(__file__).parent / "host/is_primary.py"


def config(env: Environment, host: Host) -> dict[str, Any]:
    """How the program reaches the server, and where the server writes its snapshots."""
    return {**_login(env), "snapshot": f"{PERSISTENT.directory}/dump.rdb"}


def takes_writes(run: Run, name: str) -> bool:
    """Whether this host's server says that it is primary."""
    found = run.hosts.ask_source(name, SOURCE, ["redis"], _login(run.environment))
    return bool(found.get("redis", {}).get("primary"))


def _login(env: Environment) -> dict[str, Any]:
    return {"socket": PERSISTENT.socket, "user": ADMIN, "password": env.secret("redis/admin")}


BACKUP = Store(config=config, title="Redis", takes_writes=takes_writes)
