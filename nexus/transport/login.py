"""A connection to one host outside of a run, as the inventory says that runs reach it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyinfra.connectors.ssh_util import load_key_with_certificate

from nexus import project
from nexus.transport.keepalive import keepalive_transport
from nexus.transport.ssh_client import Client
from nexus.transport.ssh_config import NONE, Target, target


def way_of(data: Mapping[str, Any], address: str) -> Target:
    """How a host with this data of the inventory is reached; OperatorError if ssh's configuration cannot be read."""
    user, port = str(data.get("ssh_user") or ""), int(data.get("ssh_port") or 0)
    return target(str(data.get("ssh_hostname") or address), config_file(data), user, port)


def config_file(data: Mapping[str, Any]) -> str | None:
    """The ssh configuration that the inventory names."""
    file = data.get("ssh_config_file")
    return file if file in (None, NONE) else str(path_of(file))


def known_hosts(data: Mapping[str, Any], way: Target) -> Path:
    """The file with the host's key."""
    if given := data.get("ssh_known_hosts_file"):
        return path_of(given)
    return Path(way.known_hosts[0]) if way.known_hosts else Path("~/.ssh/known_hosts").expanduser()


def connect(data: Mapping[str, Any], address: str, seconds: float) -> Client:
    """An open connection; an unknown host key is an error. Raises what paramiko raises, and PyinfraError for keys."""
    client = Client()
    known, key = data.get("ssh_known_hosts_file"), data.get("ssh_key")
    user = {"username": str(data["ssh_user"])} if data.get("ssh_user") else {}
    pkey = {"pkey": load_key_with_certificate(str(path_of(key)), data.get("ssh_key_password"))} if key else {}
    client.connect(
        str(data.get("ssh_hostname") or address),
        _pyinfra_ssh_config_file=config_file(data),
        _pyinfra_ssh_known_hosts_file=str(path_of(known)) if known else None,
        _pyinfra_ssh_strict_host_key_checking="yes",
        port=int(data.get("ssh_port") or 0),
        password=data.get("ssh_password"),
        **user,
        **pkey,
        allow_agent=bool(data.get("ssh_allow_agent", True)),
        look_for_keys=bool(data.get("ssh_look_for_keys", True)),
        timeout=seconds,
        banner_timeout=seconds,
        auth_timeout=seconds,
        transport_factory=keepalive_transport,
    )
    return client


def path_of(text: Any) -> Path:
    """A path of the inventory: below the project if it is not absolute."""
    return project.root() / Path(str(text)).expanduser()
