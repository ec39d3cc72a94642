"""RabbitMQ's definitions: virtual hosts, users, permissions, exchanges, queues and bindings, without messages."""

import json

from nexus.agent.lib import RemoteError
from roles.backup.host.kind import Kind, Record
from roles.backup.host.vault import Config, Vault, scratch
from roles.rabbitmq.host.api import Api, Refused

KINDS = ("vhosts", "users", "permissions", "exchanges", "queues", "bindings", "policies")


def is_saver(config: Config) -> bool:
    """Whether this host speaks for the cluster."""
    return bool(config["rabbitmq"]["is_coordinator"])


def save(config: Config, vault: Vault, type_: str = "") -> Record:
    """Definitions of the whole cluster, which every node knows, encrypted and stored."""
    text = _send(config, "GET")
    with scratch() as directory:
        path = f"{directory}/definitions.json"
        with open(path, "wb") as stream:
            stream.write(text)
        return vault.save("rabbitmq", "definitions.json", path, counts(text))


def load(config: Config, path: str) -> str:
    """Bring definitions back; what is there already stays, and is changed to what was saved. Says how many of each."""
    with open(path, "rb") as stream:
        text = stream.read()
    _send(config, "POST", text.decode(errors="replace"))
    return ", ".join(f"{count} {kind}" for kind, count in counts(text).items())


def check(record: Record, path: str) -> list[str]:
    """What differs between a file of definitions and what was recorded of it."""
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


KIND = Kind(is_saver=is_saver, save=save, prefixes=("rabbitmq/",), check=check, load=load)
