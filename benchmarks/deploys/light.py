"""Light hosts: the base role alone."""

from roles.base import base

base()
