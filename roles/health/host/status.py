"""Runs on an edge host: whether services are ready, and whether they do their work. Changes nothing."""

from roles.functional.host.checks import probe as functional
from roles.health.host.readiness import probe as services

PARTS = {"services": lambda context: services([], dict(context)), "functional": lambda context: functional([], context)}
