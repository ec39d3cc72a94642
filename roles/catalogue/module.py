"""modules.yaml: the applications of the platform and the services each stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roles.catalogue.entry import Entry

if TYPE_CHECKING:
    from roles.catalogue.kind import Names, Number, Percent, Text


class Targets(Entry):
    """Service level of a module."""

    uptime_percent: Percent
    max_latency_ms: Number
    max_error_ratio: Number


class Module(Entry):
    """One application. `targets` is None where the default of the file holds."""

    slug: Text
    title: Text
    purpose: Text
    stack: Names
    services: Names
    frontend: bool
    team: Text
    targets: Targets | None = None


class ModulesFile(Entry):
    """modules.yaml as a whole."""

    default_targets: Targets
    modules: tuple[Module, ...]
