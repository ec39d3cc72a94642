"""modules.yaml: the applications of the platform and the services that each is made of."""

from nexus.catalogue import types


class Targets(types.Entry):
    """Service level of a module."""

    uptime_percent: types.Percent
    max_latency_ms: types.Number
    max_error_ratio: types.Ratio


class Module(types.Entry):
    """One application. `targets` is None if the file's default applies."""

    slug: types.Word
    title: types.Text
    purpose: types.Text
    stack: types.Names
    services: types.Services
    frontend: bool
    team: types.Text
    targets: Targets | None = None


class ModulesFile(types.Entry):
    """modules.yaml as a whole."""

    default_targets: Targets
    modules: tuple[Module, ...]
