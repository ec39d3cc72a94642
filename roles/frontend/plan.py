"""Front ends of one edge host: their files, their configuration, and the release that each of them shows."""

import json
from dataclasses import dataclass
from pathlib import Path

from nexus.environment.environment import Environment, Host
from nexus.plan.desired import Desired, Directory, File, State
from roles.frontend.build import Build, by_key, by_release
from roles.frontend.front_end import FrontEnd
from roles.frontend.page import closed_page, config, message, operator_links
from roles.frontend.site import FrontEndSite, record, sites
from roles.frontend.source import source

STATE = Path(__file__).parent / "host/state.py"
CLOSED = "closed"  # the folder of pages of closed modules


@dataclass(frozen=True)
class Planned:
    """What is planned of a front end: its release, empty if none is known; and its build if this machine has it."""

    site: FrontEndSite
    release: str
    build: Build | None


def planned(env: Environment) -> list[Planned]:
    """All front ends: those with a record at the recorded release, the others as built from the sources at hand."""
    return [_planned(env, site) for site in sites(env)]


def _planned(env: Environment, site: FrontEndSite) -> Planned:
    if kept := env.kept.get(record(site.slug)):
        return Planned(site, kept["release"], by_release(env, kept["release"]))
    found = source(env, site)
    build = by_key(env, found.key) if found else None
    return Planned(site, build.release if build else "", build)


def place(env: Environment, slug: str) -> str:
    """The folder of a front end on edge hosts."""
    return f"{env.setting.frontend_directory}/{slug}"


def plan(env: Environment, host: Host) -> Desired:
    """The files first; the state, which shows them, once all edge hosts have them."""
    found = planned(env)
    root = str(env.setting.frontend_directory)
    with_pages = [each.site.slug for each in found if each.release]
    files = [
        File(f"{place(env, each.site.slug)}/config.json", _json(config(env, each.site, with_pages))) for each in found
    ]
    files += [
        File(f"{root}/{CLOSED}/{name}.html", closed_page(env, title, message))
        for name, title, message in _closed(env, found)
    ]
    files += [
        File(f"{root}/{CLOSED}/closed.css", (env.root / "templates/frontend/reference/src/style.css").read_bytes()),
        File(f"{root}/{CLOSED}/operators.json", _json(operator_links(env))),
    ]
    return Desired(
        directories=(Directory(root), Directory(f"{root}/{CLOSED}")),
        files=tuple(files),
        items=tuple(FrontEnd(place(env, each.site.slug), each.build) for each in found),
        states=(state(env, {each.site.slug: each.release for each in found if each.release}),),
    )


def state(env: Environment, releases: dict[str, str]) -> State:
    """The state of these front ends at these releases."""
    setting = env.setting
    return State(
        "frontend",
        STATE,
        {f"pages of {slug}": {"release": release} for slug, release in releases.items()},
        context={
            "directory": str(setting.frontend_directory),
            "keep": int(setting.frontend_keep),
            "keep_days": int(setting.frontend_keep_days),
        },
    )


def notes(env: Environment) -> list[str]:
    """Recorded releases that this machine cannot give to a host that lacks them."""
    lost = [each for each in planned(env) if each.release and not each.build]
    if not lost:
        return []
    some = ", ".join(f"{each.site.slug} {each.release}" for each in lost[:3])
    return [
        f"{len(lost)} front ends ({some}) were built on another machine: hosts keep what they have; a new edge host "
        "gets them from that machine, or from a new release"
    ]


def _closed(env: Environment, found: list[Planned]) -> list[tuple[str, str, str]]:
    """(name of the file, title, message) of pages of what is closed, and of one for services alone."""
    closed = env.setting.nginx_maintenance
    pages = [(each.site.slug, each.site.title, message(env, each.site.slug)) for each in found]
    return [("service", "Closed", message(env, "")), *(page for page in pages if page[0] in closed)]


def _json(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
