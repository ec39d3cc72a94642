"""Releases and rollbacks of front ends: files on all edge hosts first, then one rename on each of them.

The environment keeps which release each shows, as it does for services, so that no run of another checkout undoes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import gevent

from nexus.error import OperatorError, nearest, split
from nexus.plan.comparison import Differences
from nexus.plan.desired import Change
from nexus.run.limit import excluded
from nexus.run.run import Run
from nexus.run.runbook import Act, carry_out
from nexus.run.side_by_side import reached, side_by_side
from nexus.secrets.store import now
from nexus.transport.host_client import HostClient
from roles.frontend import check, npm
from roles.frontend.build import Build, by_key
from roles.frontend.builder import build_all
from roles.frontend.front_end import FrontEnd
from roles.frontend.plan import STATE, Planned, place
from roles.frontend.site import FrontEndSite, by_slug, record
from roles.frontend.source import Source, source
from runbooks.release.context import Situation

SHOWN = STATE.with_name("shown.py")
LOST = STATE.with_name("lost.py")
Releases = Mapping[str, str]  # slug -> release


def forward(run: Run, words: str) -> Sequence[Act]:
    """The acts that release front ends, built from the sources at hand; none for those that show that build."""
    return Session(Situation(run), words).acts()


def back(run: Run, words: str, to: str) -> Sequence[Act]:
    """The act that takes front ends back to the release before, or to the release `to`; nothing is copied."""
    session = Session(Situation(run), words)
    targets = {slug: target(slug, found, to) for slug, found in session.shown().items()}
    wanted = {slug: release for slug, release in targets.items() if release}
    if not wanted:
        return []
    return [Act(f"Show {_words(wanted)} again", lambda: session.go_back(wanted))]


def target(slug: str, found: Mapping[str, Mapping[str, Any]], to: str) -> str:
    """The release that a rollback shows, from the answers of all edge hosts; empty if `to` is shown already."""
    whole = set.intersection(*(set(answer["whole"]) for answer in found.values()))
    first = next(iter(found.values()))
    before = [release for release in first["history"] if release != first["current"] and release in whole]
    if to and to not in whole:
        raise OperatorError(
            f"{slug}: not every edge host has release {to}; they have {', '.join(sorted(whole)) or 'none'} "
            f"(shown before: {', '.join(before) or 'none'})"
        )
    if to:
        return "" if all(answer["current"] == to for answer in found.values()) else to
    if not before:
        raise OperatorError(
            f"{slug}: it showed no other release before that every edge host still has. Release a build instead: "
            f"deploys/release.py --data frontends={slug}"
        )
    return str(before[0])


class Session:
    """One release or rollback of some front ends, on all edge hosts."""

    def __init__(self, situation: Situation, words: str) -> None:
        self.situation, self.run, self.env = situation, situation.run, situation.env
        known = by_slug(self.env)
        self.slugs = list(known) if words == "all" else split(words)
        for slug in self.slugs:
            if slug not in known:
                raise OperatorError(f"frontends={slug}: {self.env.name} has no such front end{nearest(slug, known)}")
        self.sites: Mapping[str, FrontEndSite] = {slug: known[slug] for slug in self.slugs}
        self.edges = reached(self.run, "edge")
        if left := excluded(self.run.hosts, "frontend"):
            raise OperatorError(
                f"front ends change on all edge hosts or on none, and this run does not reach {', '.join(left)}: "
                "drop --limit, or continue without a dead host: --data without=NAME"
            )
        if not self.edges:
            raise OperatorError(f"{self.env.name} has no edge host, so nothing shows front ends")
        self.directory = str(self.env.setting.frontend_directory)
        self.before: Mapping[str, str] = {}  # what is shown, once it was asked: this run alone changes it

    def acts(self) -> Sequence[Act]:
        """Build, deliver, show; only what is needed."""
        sources = {slug: self._source(site) for slug, site in self.sites.items()}
        builds = {slug: by_key(self.env, each.key) for slug, each in sources.items()}
        shown = self.shown()
        wanted = [slug for slug in self.slugs if not self._done(slug, builds[slug], shown[slug])]
        unbuilt = [sources[slug] for slug in wanted if builds[slug] is None]
        acts = [Act(f"Build {', '.join(each.site.slug for each in unbuilt)} here", lambda: self._build(unbuilt))]
        if not wanted:
            return []
        names, edges = ", ".join(wanted), ", ".join(self.edges)
        return [
            *(acts if unbuilt else ()),
            Act(f"Send the files of {names} to {edges}", lambda: self._deliver(self._built(sources, wanted))),
            Act(f"Show the new release of {names}", lambda: self._release(self._built(sources, wanted))),
        ]

    def shown(self) -> dict[str, dict[str, Any]]:
        """{slug: {edge host: current, history, whole}}."""
        context = {"directory": self.directory}
        asked = side_by_side(lambda edge: self.run.hosts.ask_source(edge, SHOWN, self.slugs, context), self.edges)
        self.before = {slug: asked[self.edges[0]][slug]["current"] for slug in self.slugs}
        return {slug: {edge: answer[slug] for edge, answer in asked.items()} for slug in self.slugs}

    def go_back(self, targets: Releases) -> None:
        """Record where front ends go, so that the next run finishes a rollback that dies; then show it."""
        self._keep(targets)
        self._show(targets)
        self._tell(targets)

    def _source(self, site: FrontEndSite) -> Source:
        found = source(self.env, site)
        if found is None:
            raise OperatorError(f"{site.slug} is built from the platform's code: give its checkout in NEXUS_SOURCE")
        return found

    def _done(self, slug: str, build: Build | None, shown: Mapping[str, Any]) -> bool:
        """Whether every edge host shows this build, and it is recorded."""
        kept = self.env.kept.get(record(slug), {}).get("release")
        return build is not None and {kept, *(each["current"] for each in shown.values())} == {build.release}

    def _build(self, wanted: Sequence[Source]) -> None:
        try:
            build_all(self.env, wanted)
        except npm.NotHere as why:
            raise OperatorError(f"front ends cannot be built on this machine: {why}") from None

    def _built(self, sources: Mapping[str, Source], wanted: Sequence[str]) -> dict[str, Build]:
        found = {slug: by_key(self.env, sources[slug].key) for slug in wanted}
        return {slug: build for slug, build in found.items() if build is not None}

    def _deliver(self, builds: Mapping[str, Build]) -> None:
        """Every edge host has and serves all files; OperatorError before anything is shown otherwise."""
        side_by_side(lambda edge: self._deliver_to(edge, builds), self.edges)
        wanted = {slug: check.assets(self.sites[slug], build) for slug, build in builds.items()}
        if wrong := self._wrong(wanted):
            raise OperatorError(
                f"edge hosts still show the earlier releases, because new files do not answer as built:\n{wrong}\n"
                "Look at Nginx's error log there, then rerun"
            )

    def _deliver_to(self, edge: str, builds: Mapping[str, Build]) -> None:
        present = self.run.hosts.answer(edge)["front_ends"]
        items = [FrontEnd(place(self.env, slug), build) for slug, build in builds.items()]
        requests = [item.request(present.get(item.path)) for item in items if item.difference(present.get(item.path))]
        for step in FrontEnd.steps(requests, Differences()) if requests else ():
            if not HostClient(edge).carry_out("write files of front ends", step):
                raise OperatorError(f"{edge} could not write files of front ends (see the error above)")

    def _release(self, builds: Mapping[str, Build]) -> None:
        """Show the new releases; the ones before return if an answer is wrong or a client misses a file."""
        targets = {slug: build.release for slug, build in builds.items()}
        begun = self._lost(dict.fromkeys(self.edges, -1))
        try:
            self._show(targets)
            self._watch(builds, {edge: answer["size"] for edge, answer in begun.items()})
        except OperatorError as error:
            raise OperatorError(f"{error}\n{self._take_back(targets)}") from None
        self._keep(targets)
        self._tell(targets)

    def _take_back(self, targets: Releases) -> str:
        """Show the releases of before again; in words, what is shown now."""
        old = {slug: release for slug in targets if (release := self.before[slug]) not in ("", targets[slug])}
        stays = {slug: release for slug, release in targets.items() if slug not in old}
        lines = [f"{_words(stays)} stays, since no other release was shown before"] if stays else []
        if old:
            try:
                self._show(old)
                lines.append(f"{_words(old)} is shown again")
            except OperatorError as error:
                lines.append(f"{_words(old)} COULD NOT BE SHOWN AGAIN on every edge host, act now: {error}")
        return "\n".join(lines)

    def _watch(self, builds: Mapping[str, Build], sizes: Mapping[str, int]) -> None:
        """OperatorError if a page is wrong, or clients ask for a file of these front ends that is not there."""
        planned = [Planned(self.sites[slug], build.release, build) for slug, build in builds.items()]
        if wrong := self._wrong({each.site.slug: check.files(self.env, each, full=False) for each in planned}):
            raise OperatorError(wrong)
        gevent.sleep(float(self.env.setting.frontend_watch_seconds))
        ours = {self.sites[slug].base + path for slug, build in builds.items() for path in build.pieces}
        for edge, answer in self._lost(sizes).items():
            if missing := sorted(ours & set(answer["lost"])):
                raise OperatorError(f"{edge}: clients asked for {missing[0]} and got 404")

    def _wrong(self, wanted: check.Wanted) -> str:
        return "\n".join(f"{slug}: {why}" for slug, why in check.failures(self.run, wanted).items())

    def _lost(self, since: Mapping[str, int]) -> dict[str, dict[str, Any]]:
        log = f"{self.env.setting.nginx_log_directory}/access.log"

        def ask(edge: str) -> dict[str, Any]:
            return self.run.hosts.ask_source(edge, LOST, [], {"log": log, "since": since[edge]})

        return side_by_side(ask, self.edges)

    def _show(self, targets: Releases) -> None:
        """All edge hosts in parallel; those that could not are named."""
        context = {"directory": self.directory, "releases": dict(targets)}
        side_by_side(lambda edge: carry_out(self.run, edge, "show releases", STATE, "show", context), self.edges)

    def _keep(self, targets: Releases) -> None:
        self.situation.keep({record(slug): {"release": release, "at": now()} for slug, release in targets.items()})

    def _tell(self, targets: Releases) -> None:
        changes = self.run.outcome.changes[self.edges[0]]
        changes += [Change(f"release of {slug}", f"{self.before[slug]} -> {to}") for slug, to in targets.items()]


def _words(releases: Releases) -> str:
    return ", ".join(f"{slug} {release}" for slug, release in releases.items())
