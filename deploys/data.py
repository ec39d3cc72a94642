"""The stores, with a database, a user and a vhost for every service that declares them.

`prune_data=true` also drops data of services that left the catalogue.
"""

from pyinfra import host

from nexus.run.arguments import Flag, arguments
from nexus.run.converge import forget_roles, layer
from roles.backup import backup
from roles.etcd import etcd
from roles.firewall import open_ports
from roles.mongodb import mongodb
from roles.pgbouncer import pgbouncer
from roles.postgresql import postgresql
from roles.proxy import proxy
from roles.rabbitmq import rabbitmq
from roles.redis import redis
from roles.sentinel import sentinel
from roles.storage import storage

arguments(prune_data=Flag("also drop databases, vhosts and users that no service declares any longer"))
open_ports()
layer("quorum")
if "etcd" in host.groups:
    etcd()  # where PostgreSQL's hosts agree on who is primary
layer("stores")
if "postgresql" in host.groups:
    postgresql()
    pgbouncer()
if "redis" in host.groups:
    redis()
    sentinel()  # once every server answers
if "rabbitmq" in host.groups:
    rabbitmq()
if "mongodb" in host.groups:
    mongodb()
if "storage" in host.groups:
    storage()  # backups go there, and PostgreSQL's log
if {"postgresql", "redis", "rabbitmq", "mongodb", "ops"} & set(host.groups):
    backup()
if "app" in host.groups:
    proxy()  # services are given its address
layer("leftovers")
forget_roles(stores=True)  # a host that leaves stops its daemons once the others can do without them
