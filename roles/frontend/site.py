"""The front ends of an environment: pages of modules, pages outside of modules, and the portal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nexus.catalogue.module import Pages, Policy
from nexus.environment.environment import Environment
from roles.image.checkout import checkout

PORTAL = "portal"
RECORD = "frontend"  # kind of what the environment keeps: the release of a front end


@dataclass(frozen=True)
class FrontEndSite:
    """One front end. Without `pages` it is built from the reference front end."""

    slug: str
    title: str
    purpose: str
    pages: Pages | None
    csp: Policy

    @property
    def base(self) -> str:
        """Its path at the edge."""
        return "/" if self.slug == PORTAL else f"/{self.slug}/"

    @property
    def assets(self) -> str:
        """The folder below its path with files that never change."""
        return self.pages.assets if self.pages else "assets"


def record(slug: str) -> str:
    """The key of a front end's record in what the environment keeps."""
    return f"{RECORD} {slug}"


def sites(env: Environment) -> tuple[FrontEndSite, ...]:
    """All front ends of the environment, the portal first.

    Pages outside of modules exist where a checkout has them, or where a release of them was recorded.
    """
    return tuple(_sites(env))


def by_slug(env: Environment) -> Mapping[str, FrontEndSite]:
    """The same, by slug."""
    return {site.slug: site for site in sites(env)}


def _sites(env: Environment) -> Iterator[FrontEndSite]:
    code = checkout(env)

    def found(pages: Pages | None) -> bool:
        return bool(code and pages and (code.path / pages.folder).is_dir())

    yield FrontEndSite(PORTAL, "Nexus COS", "The modules of the Nexus COS platform", None, {})
    for module in env.catalogue.modules:
        if module.frontend:
            pages = module.pages if found(module.pages) else None
            yield FrontEndSite(module.slug, module.title, module.purpose, pages, module.csp)
    for site in env.catalogue.applications.sites:
        if found(site.pages) or record(site.slug) in env.kept:
            yield FrontEndSite(site.slug, site.title, site.purpose, site.pages, site.csp)
