"""Virtual hosts and users of the broker, as its host-side code reports them.

Each service has its own virtual host, where its two logins may do anything, and limited permissions in
the virtual host `events`, which carries the catalogue's events from one service to others: an exchange
for each event, written to by its publisher and read by its consumers, and queues named SERVICE.ANYTHING.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from typing import Any

from nexus.catalogue import Catalogue, Service
from nexus.environment.environment import Environment

ADMIN = "nexus-admin"
EVENTS = "events"
EVERYTHING = [".*", ".*", ".*"]  # configure, write, read

# A server that started before its configuration was there has created a virtual host and a user whose
# password is public.
ABSENT = {"present": False}
UNLIMITED: dict[str, Any] = {"limits": {}}
EXCHANGE = {"type": "topic", "durable": True}  # of every event

Items = dict[str, dict[str, Any]]


def vhost_names(catalogue: Catalogue) -> list[str]:
    """One virtual host for each service that uses the broker, and that of the events."""
    return [*(service.name for service in catalogue.services_of_store("rabbitmq")), EVENTS]


def vhosts(catalogue: Catalogue) -> Items:
    """Virtual hosts and exchanges. Queues are replicated unless a client asks for another kind."""
    wanted = {"default_queue_type": "quorum", **UNLIMITED, "stopped on": []}
    found: Items = {f"vhost {name}": wanted for name in vhost_names(catalogue)}
    found |= {f"exchange {event.name}": EXCHANGE for event in catalogue.platform.events}
    found["default vhost"], found["policies"] = ABSENT, {}
    return found


def users(env: Environment) -> Items:
    """The administrator and two logins for each service, passwords as salted hashes."""
    password = password_hash(ADMIN, env.secret("rabbitmq/admin"))
    found: Items = {f"user {ADMIN}": {"password": password, "administrator": True, **UNLIMITED}}
    found |= {"default user": ABSENT, "other users": {}}
    for user, about in service_users(env).items():
        found[f"user {user}"] = {**about, **UNLIMITED}
    return found


def service_users(env: Environment) -> Items:
    """{user: {"password": its salted hash, "administrator", "permissions": {virtual host: patterns}}} of services."""
    found: Items = {}
    for service in env.catalogue.services_of_store("rabbitmq"):
        permissions = {service.name: EVERYTHING}
        if events := event_permissions(env.catalogue, service):
            permissions[EVENTS] = events
        for user, secret in env.logins("rabbitmq", service.name):
            found[user] = {"password": password_hash(user, secret), "administrator": False, "permissions": permissions}
    return found


def event_permissions(catalogue: Catalogue, service: Service) -> list[str]:
    """Patterns for configure, write and read in the virtual host `events`; empty for a service without events."""
    published = [event.name for event in catalogue.platform.events if event.publisher == service.name]
    consumed = [event.name for event in catalogue.platform.events if service.name in event.consumers]
    if not published and not consumed:
        return []
    queues = rf"{re.escape(service.name)}\..+"
    own, read = "|".join([*published, queues]), "|".join([*consumed, queues])
    return [f"^({own})$", f"^({own})$", f"^({read})$"]


def password_hash(user: str, password: str) -> str:
    """RabbitMQ's salted SHA-256; the salt follows from the password, so equal passwords compare equal."""
    salt = hmac.digest(password.encode(), f"rabbitmq/{user}".encode(), "sha256")[:4]
    return b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
