"""Light hosts: only the base role."""

from roles.base import base

base()
