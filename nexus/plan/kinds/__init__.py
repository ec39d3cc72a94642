"""Kinds of items, a file each; all that lie here are known. What they do on hosts lies in nexus/agent/kinds/."""

from importlib import import_module
from pkgutil import iter_modules

for _found in iter_modules(__path__):
    import_module(f"{__name__}.{_found.name}")
