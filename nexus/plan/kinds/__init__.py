"""Kinds of items, one file each; every file here is imported. Their host side is in nexus/agent/kinds/."""

from importlib import import_module
from pkgutil import iter_modules

for _found in iter_modules(__path__):
    import_module(f"{__name__}.{_found.name}")
