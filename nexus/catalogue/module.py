"""modules.yaml: the applications of the platform and the services that each is made of."""

from typing import Literal, Self

from pydantic import Field, model_validator

from nexus.catalogue import types

Policy = dict[types.Word, types.Filled[types.HeaderValue]]  # directive of a content security policy -> its sources


class Targets(types.Entry):
    """Service level of a module."""

    uptime_percent: types.Percent
    max_latency_ms: types.Number
    max_error_ratio: types.Ratio


class Pages(types.Entry):
    """Where the platform's code has the pages of a module or site: a Vite application, or files as they are.

    `output` is the folder that a build of the application writes, None for files as they are. `assets` is the folder
    below it with the files that have a hash in their names.
    """

    folder: types.RelativePath
    output: types.RelativePath | None = None
    assets: Literal["assets", "static"] = "assets"


class Module(types.Entry):
    """One application. `targets` is None if the file's default applies.

    `frontend` says whether it has pages; `pages` where its own are in the platform's code, if there are any. `csp` adds
    to the content security policy of gateway.yaml for its pages.
    """

    slug: types.Slug
    title: types.Text
    purpose: types.Text
    stack: types.Names
    services: types.Services
    frontend: bool
    team: types.Text
    targets: Targets | None = None
    pages: Pages | None = None
    csp: Policy = Field(default_factory=dict)


class Site(types.Entry):
    """Pages of the platform's code that belong to no module; they exist only where that code is."""

    slug: types.Slug
    title: types.Text
    purpose: types.Text
    pages: Pages
    csp: Policy = Field(default_factory=dict)


class ModulesFile(types.Entry):
    """modules.yaml as a whole."""

    default_targets: Targets
    modules: tuple[Module, ...]
    sites: tuple[Site, ...] = ()

    @model_validator(mode="after")
    def _sites_are_not_modules(self) -> Self:
        modules = [module.slug for module in self.modules]
        for number, site in enumerate(self.sites):
            if site.slug in modules:
                raise types.wrong(f"{site.slug!r} is a module; choose another slug", "sites", number, "slug")
        return self
