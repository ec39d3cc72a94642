"""The catalogue: services, modules, routes and figures of the platform, typed and checked as one whole.

`load()` gives it; everything about a service is derived from it and written nowhere else. It knows
nothing of hosts and settings: capacity.py sets it against them.
"""

from roles.catalogue.catalogue import DIRECTORY, Catalogue, load
from roles.catalogue.errors import CatalogueError, Problem
from roles.catalogue.gateway import Route
from roles.catalogue.module import Module
from roles.catalogue.service import Probes, Service, Source

__all__ = [
    "DIRECTORY",
    "Catalogue",
    "CatalogueError",
    "Module",
    "Probes",
    "Problem",
    "Route",
    "Service",
    "Source",
    "load",
]
