"""The backup of an environment's data outside of its stores: the secrets file and the records of runs."""

import hmac
import json
from pathlib import Path
from typing import Any

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, State
from nexus.plan.lazy import Lazy
from roles.backup.host.paths import RECORDS
from roles.backup.store import Saved

NAME = "environment"
MODULE = "roles.backup.host.environment"
SECRETS = f"{RECORDS}/secrets.age"
PATHS = ("/var/lib/nexus-cos/record", SECRETS)


def config(env: Environment, host: Host) -> dict[str, Any]:
    """What is saved, by its paths."""
    return {"secrets": SECRETS, "paths": list(PATHS)}


def desired(env: Environment) -> Desired:
    """The secrets file on a host that saves it, encrypted as it is."""
    source = Path(__file__).parent / "host/state.py"
    # Computed when it is compared: plans that are made later may still add secrets.
    items = Lazy({"secrets": lambda: {"content": _fingerprint(env)}})
    return Desired(states=(State("backup secrets", source, items, context={"path": SECRETS}),))


def _fingerprint(env: Environment) -> str:
    """A fingerprint of all secrets, since the bytes of their file differ each time it is written."""
    key = env.secret("backup/postgresql").encode()  # before the others are read: it may be new
    values = {each: env.secrets.optional(each) for each in env.secrets.names()}
    text = json.dumps([values, sorted(env.secrets.readers)], sort_keys=True)
    return hmac.digest(key, text.encode(), "sha256").hex()[:16]


BACKUP = Saved(config=config, desired=desired)
