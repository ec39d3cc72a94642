"""The locations of front ends: which paths they have, which are closed, and what their pages may do."""

from collections.abc import Mapping
from dataclasses import dataclass

from nexus.catalogue.module import Policy
from nexus.environment.environment import Environment
from nexus.environment.settings import Settings
from roles.frontend.site import FrontEndSite, sites

# Files of the portal outside of its assets and pages of what is closed, as regular expressions of a path below "/".
ROOT_FILES = (
    "$",
    "current/",
    "(?:config|operators)\\.json$",
    "favicon\\.\\w+$",
    "robots\\.txt$",
    "closed\\.css$",
    "[\\w-]+\\.html$",
)


@dataclass(frozen=True)
class FrontEndLocation:
    """The locations of one front end. `csp` is its own policy; empty if it has that of all."""

    site: FrontEndSite
    closed: bool  # for maintenance
    csp: str


def front_ends(env: Environment, setting: Settings) -> tuple[FrontEndLocation, ...]:
    """The locations of all front ends, the portal first."""
    closed = env.setting.nginx_maintenance
    return tuple(
        FrontEndLocation(site, site.slug in closed, policy(env, setting, site.csp) if site.csp else "")
        for site in sites(env)
    )


def policy(env: Environment, setting: Settings, more: Policy | None = None) -> str:
    """The content security policy of gateway.yaml, with what a front end needs in addition."""
    rules: Mapping[str, tuple[str, ...]] = dict(env.catalogue.gateway.csp)
    for name, values in (more or {}).items():
        own = rules.get(name) or ("'self'",)
        rules = {**rules, name: (*(value for value in own if value != "'none'"), *values)}
    port = int(setting.nginx_https_port)
    domain = f"{setting.domain}{'' if port == 443 else f':{port}'}"
    return "; ".join(f"{name} {' '.join(values)}" for name, values in rules.items()).replace("{domain}", domain)
