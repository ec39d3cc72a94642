"""Registry, object storage, and Docker on every host that runs containers; images begin to be built."""

from pyinfra import host

from roles.docker import docker
from roles.image import begin_images
from roles.registry import registry
from roles.storage import begin_storage

if "ops" in host.groups:
    registry()  # before Docker, which logs in there
if {"app", "edge", "ops"} & set(host.groups):
    docker()
if "ops" in host.groups:
    begin_images()  # this takes longest, and nobody waits for it before the services do
if "storage" in host.groups:
    begin_storage()  # whose restart takes a while, and nobody waits for it before the backups do
