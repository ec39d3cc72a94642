"""Whether front ends answer at every edge host: their pages each time, all of their files after a change."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pyinfra.api.deploy import deploy
from pyinfra.context import host as here

from nexus.environment.environment import Environment
from nexus.run.run import Run, current_run
from nexus.run.side_by_side import reached, side_by_side
from nexus.run.verification import Finding, verify
from roles.certificate.plan import edge_place
from roles.frontend.build import Build
from roles.frontend.plan import Planned, planned
from roles.frontend.site import FrontEndSite

CHECK = Path(__file__).parent / "host/check.py"
ANSWER_SECONDS = 5
Wanted = Mapping[str, Mapping[str, Any]]  # {front end: {path: [status, sha256 or ""]}}


@deploy("Front ends answer")
def front_ends_answer(full: bool = False) -> None:
    """Every front end answers at every edge host, or the run fails. `full`, or a change in this run: all its files."""
    run = current_run()
    edges = reached(run, "edge")
    if edges[:1] == [here.name] and any(each.release for each in planned(run.environment_now())):
        verify("Ask every edge host for the front ends", "front ends", partial(_ask, full))


def _ask(full: bool, run: Run, edge: str) -> Finding:
    """The pages of all front ends, at all edge hosts of the run."""
    changes = [change.what for changes in run.outcome.changes.values() for change in changes]
    full = full or any(what.startswith("pages of ") for what in changes)
    env = run.environment_now()
    found = planned(env)
    wanted = {each.site.slug: files(env, each, full) for each in found if each.release}
    wrong = failures(run, wanted)
    left = len(found) - len(wanted)
    missing = f", {left} not built" if left else ""
    return Finding(
        f"{len(wanted) - len(wrong)}/{len(wanted)} front ends answer{missing}",
        [f"front end {name} does not answer: {why}" for name, why in wrong.items()],
    )


def files(env: Environment, each: Planned, full: bool) -> dict[str, Any]:
    """The paths of a front end with their answers: its page, and with `full` all files that its release shares.

    A closed front end answers with its page for that; its files stay.
    """
    closed = each.site.slug in env.setting.nginx_maintenance
    page = each.build.pieces["index.html"].sha256 if each.build and not closed else ""
    shared = assets(each.site, each.build) if full and each.build else {}
    return {each.site.base: [503 if closed else 200, page], **shared}


def assets(site: FrontEndSite, build: Build) -> dict[str, Any]:
    """The shared files of a release with their content: they answer before the release is shown, too."""
    return {site.base + path: [200, piece.sha256] for path, piece in build.pieces.items() if piece.pooled}


def failures(run: Run, wanted: Wanted) -> dict[str, str]:
    """{front end: the first edge host where it does not answer as wanted, and why}."""
    env = run.environment

    def ask(edge: str) -> Mapping[str, str]:
        place = edge_place(env.host(edge), str(env.setting.domain))
        context = {"front_ends": wanted, "place": place, "seconds": ANSWER_SECONDS}
        return run.hosts.ask_source(edge, CHECK, [], context)

    found: dict[str, str] = {}
    for edge, answer in side_by_side(ask, reached(run, "edge")).items():
        for name, why in answer.items():
            if why:
                found.setdefault(name, f"{edge}: {why}")
    return found
