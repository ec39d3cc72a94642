"""RabbitMQ's definitions: virtual hosts, users, permissions, exchanges, queues and bindings, without messages."""

from __future__ import annotations

import json
from typing import Any

from roles.backup.program.vault import Config, Vault, digest, scratch
from roles.kit.agent.base import RemoteError
from roles.rabbitmq.api import Api, Refused

Record = dict[str, Any]
KINDS = ("vhosts", "users", "permissions", "exchanges", "queues", "bindings", "policies")


def save(config: Config, vault: Vault) -> Record:
    """Definitions of the whole cluster, which every node knows, encrypted and stored."""
    text = _send(config, "GET")
    with scratch() as directory:
        path = f"{directory}/definitions.json"
        with open(path, "wb") as stream:
            stream.write(text)
        key, size, found = vault.save("rabbitmq", "definitions.json", path)
    return {"type": "full", "label": key, "bytes": size, "holds": {**counts(text), "sha256": found}}


def load(config: Config, path: str) -> dict[str, int]:
    """Bring definitions back; what is there already stays, and is changed to what was saved. How many of each."""
    with open(path, "rb") as stream:
        text = stream.read()
    _send(config, "POST", text.decode())
    return counts(text)


def check(record: Record, path: str) -> list[str]:
    """What differs between a file of definitions and what was recorded of it."""
    if digest(path) != record["holds"]["sha256"]:
        return [f"{record['label']}: its content is not what was saved"]
    with open(path, "rb") as stream:
        found = counts(stream.read())
    return [
        f"{record['label']}: {found[kind]} {kind}, {record['holds'][kind]} were saved"
        for kind in KINDS
        if found[kind] != record["holds"][kind]
    ]


def counts(text: bytes) -> dict[str, int]:
    """How many of each kind there are."""
    found = json.loads(text)
    return {kind: len(found.get(kind, [])) for kind in KINDS}


def _send(config: Config, method: str, body: str | None = None) -> bytes:
    api = Api(config["rabbitmq"])
    try:
        return api.send(method, ("definitions",), body)
    except (OSError, Refused) as error:
        raise RemoteError(f"RabbitMQ's definitions could not be asked or set: {error}") from None
