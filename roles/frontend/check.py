"""Whether front ends answer at every edge host: their pages each time, all of their files after a change."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pyinfra import logger
from pyinfra.api.command import PyinfraCommand
from pyinfra.api.deploy import deploy
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.operation import operation
from pyinfra.context import host as here

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.pyinfra_patches import identity
from nexus.run.host_state import executing
from nexus.run.run import Run, current_run
from nexus.run.side_by_side import reached, side_by_side
from nexus.transport.progress import progress
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
    if edges[:1] == [here.name] and any(each.release for each in planned(known(run))):
        run.reading.add(identity(_answer(full, name="Ask every edge host for the front ends")))


@operation()
def _answer(full: bool) -> Iterator[PyinfraCommand]:
    if executing():
        yield _Ask(full)


class _Ask(PyinfraCommand):
    """The pages of all front ends, at all edge hosts of the run."""

    def __init__(self, full: bool) -> None:
        super().__init__()
        self.full = full

    def execute(self, state: Any, host: Any, connector_arguments: Any) -> bool:
        """True when all of them answer."""
        run = current_run()
        changes = [change.what for changes in run.outcome.changes.values() for change in changes]
        full = self.full or any(what.startswith("pages of ") for what in changes)
        env = known(run)
        found = planned(env)
        wanted = {each.site.slug: files(env, each, full) for each in found if each.release}
        with progress.step(host.name, "front ends"):
            wrong = failures(run, wanted)
        for name, why in wrong.items():
            logger.error(f"    front end {name} does not answer: {why}")
        left = len(found) - len(wanted)
        missing = f", {left} not built" if left else ""
        run.outcome.findings["frontend"] = f"{len(wanted) - len(wrong)}/{len(wanted)} front ends answer{missing}"
        return not wrong


def known(run: Run) -> Environment:
    """The environment with what it keeps now; as the last run knew it if no manager answers."""
    try:
        kept = run.hosts.kept()
    except (OperatorError, PyinfraError):
        kept = run.hosts.memory.kept
    return run.environment.with_facts([], {}, kept)


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
