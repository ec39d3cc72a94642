"""Builds front ends on this machine, once per source, and keeps them."""

import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from nexus import console
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.run.run import Run
from roles.frontend import npm
from roles.frontend.build import Build, by_key, directory, keep
from roles.frontend.output import served
from roles.frontend.site import record, sites
from roles.frontend.source import Source, source

VITE = "node_modules/vite/bin/vite.js"


def unbuilt(env: Environment, kept: Collection[str] = ()) -> list[Source]:
    """Sources of front ends that this machine has not built; `kept` has records, whose releases are built already."""
    found = (source(env, site) for site in sites(env) if record(site.slug) not in kept)
    return [each for each in found if each and by_key(env, each.key) is None]


def build_missing(run: Run) -> None:
    """Build what is not built yet. If that is not possible here, note the reason: the run continues without."""
    env = run.environment
    missing = unbuilt(env, run.hosts.memory.kept)
    if not missing:
        return
    if run.dry:
        run.outcome.note("frontend", f"{_named(missing)} not built here yet: a run without --dry builds them")
        return
    try:
        build_all(env, missing)
        run.hosts.replan()  # hosts were planned while the run connected to them
    except npm.NotHere as why:
        run.outcome.note("frontend", f"{_named(missing)} not built, and left as they are: {why}. Then rerun")


def build_all(env: Environment, wanted: Collection[Source]) -> Mapping[str, Build]:
    """Build these front ends, one after the other; {slug: build}. NotHere if this machine cannot."""
    if any(each.application for each in wanted):
        npm.check()
    found = {}
    for number, each in enumerate(wanted, 1):
        console.say(f"    front end {each.site.slug}: build {number} of {len(wanted)}")
        found[each.site.slug] = build(env, each)
    return found


def build(env: Environment, given: Source) -> Build:
    """Build one front end and keep it; OperatorError with the last lines of the build if it fails."""
    home = directory(env)
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".work-", dir=home) as name:
        work = Path(name)
        for path, data in given.files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_bytes(data)
        output = _application(env, given, work) if given.application else work
        files, hashed = served(output, given.where, given.site.base, given.site.assets)
    return keep(env, given.key, files, hashed)


def _application(env: Environment, given: Source, work: Path) -> Path:
    """The folder with the output of an application's build."""
    (work / "node_modules").symlink_to(npm.installed(env, given))
    if not (work / VITE).is_file():
        raise OperatorError(f"{given.where} does not depend on vite, which builds front ends: add it to package.json")
    site = given.site
    output = work / (site.pages.output if site.pages and site.pages.output else "dist")
    options = [f"--base={site.base}", f"--outDir={output}", f"--assetsDir={site.assets}", "--emptyOutDir", "--manifest"]
    lines = npm.command(env, ["node", VITE, "build", *options, "--logLevel=warn"], work, given.environment)
    if lines is not None:
        raise OperatorError(f"the front end in {given.where} cannot be built:\n" + "\n".join(lines))
    return output


def _named(missing: Collection[Source]) -> str:
    slugs = [each.site.slug for each in missing]
    some = f"{', '.join(slugs[:3])}{' and others' if len(slugs) > 3 else ''}"
    return f"{len(slugs)} front ends ({some}) are" if len(slugs) > 1 else f"front end {some} is"
