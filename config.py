"""Executed by pyinfra before anything else, whenever it is started in this directory."""

from roles.kit.startup import begin

begin()
