"""Registry, object storage, and Docker on every host that runs containers; image builds begin."""

from pyinfra import host

from roles.docker import docker
from roles.firewall import open_ports
from roles.image import begin_images
from roles.registry import registry
from roles.storage import begin_storage

open_ports()
if "ops" in host.groups:
    registry()  # before Docker, which logs in there
if {"app", "edge", "ops"} & set(host.groups):
    docker()
if "ops" in host.groups:
    begin_images()  # takes longest; the services are the first to wait for it
if "storage" in host.groups:
    begin_storage()  # its restart takes a while; the backups are the first to wait for it
