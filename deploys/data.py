"""The stores, with a database, a user and a vhost for every service that declares them."""

from pyinfra import host

from roles.mongodb import mongodb
from roles.postgresql import postgresql
from roles.rabbitmq import rabbitmq
from roles.redis import redis
from roles.sentinel import sentinel

if "postgresql" in host.groups:
    postgresql()
if "redis" in host.groups:
    redis()
    sentinel()  # once every server is there to be asked
if "rabbitmq" in host.groups:
    rabbitmq()
if "mongodb" in host.groups:
    mongodb()
