"""The catalogue: services, modules, routes and figures of the platform, typed and checked as a whole.

`load()` returns it. Everything about a service is derived from it and written nowhere else. It knows
nothing of hosts and settings: capacity.py compares it with them.
"""

from nexus.catalogue.catalogue import DIRECTORY, Catalogue, load
from nexus.catalogue.errors import CatalogueError, Problem
from nexus.catalogue.service import Service

__all__ = ["DIRECTORY", "Catalogue", "CatalogueError", "Problem", "Service", "load"]
