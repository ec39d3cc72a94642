"""Differences of a host that concern all its roles at once: packages, and leftovers of earlier roles and runs."""

from nexus.error import OperatorError
from nexus.plan import diff, manifest, obstacle
from nexus.plan.comparison import Seen
from nexus.plan.desired import Change, Desired, Unit
from nexus.plan.diff import Differences
from nexus.plan.kinds.absent import Absent
from nexus.plan.kinds.package import Package
from nexus.run.run import Run

PACKAGES, LEFTOVERS = "packages", "leftovers"  # used in place of a role's name


def intended(run: Run) -> dict[str, list[tuple[str, Change]]]:
    """Return the changes that this run intends to make, as far as known now: {host: [(role, change)]}.

    Hosts without changes are left out.
    """
    found: dict[str, list[tuple[str, Change]]] = {}
    for name, roles in run.planned.items():
        for role in sorted(roles):
            parts = {PACKAGES: packages, LEFTOVERS: leftovers}
            part = parts[role](run, name) if role in parts else run.hosts.compare(name, role)
            if part.steps:
                found.setdefault(name, []).extend((role, change) for change in part.changes)
    return found


def packages(run: Run, name: str) -> Differences:
    """Return the packages to install or configure on a host, after the files that must be there first."""
    found, answer = Differences(), run.hosts.answer(name)
    plans = {role: run.hosts.plan(name, role) for role in run.hosts.roles(name)}
    for role, plan in plans.items():
        part = diff.compare(role, Desired(early=plan.early), answer, {})
        found.steps += [step for step in part.steps if step["do"] != "forget"]
        found.changes += [change for change in part.changes if change.what in {file.title for file in plan.early}]
        found.files += part.files
    every = Desired(packages=tuple(package for plan in plans.values() for package in plan.packages))
    lacking = [item for item in every.everything if item.compare(found, Seen(answer))]
    for package, state in run.hosts.unfinished(name).items():
        found.add(f"package {package}", f"{state}, to be configured")
    if lacking or run.hosts.unfinished(name):
        found.steps += Package.steps([{"name": item.key} for item in lacking], found)
    if not found.changes:
        found.steps.clear()
    return found


def check_packages(run: Run, name: str) -> None:
    """Refuse packages that apt cannot install, or only by removing others, before any host is changed."""
    found = packages(run, name)
    obstacle.check(name, PACKAGES, Desired(), run.hosts.answer(name), lambda: found)
    wanted = [item["name"] for step in found.steps if step.get("kind") == Package.plural for item in step["items"]]
    if not wanted or found.files:  # a file may add a repository that apt needs
        return
    if why := run.hosts.ask(name, {"do": "simulate", "packages": wanted})["why"]:
        raise OperatorError(f"{name}: {why}")


def leftovers(run: Run, name: str, stores: bool | None = None) -> Differences:
    """Return the leftovers of killed runs and former roles on a host.

    `stores` selects the roles of stores if True, all other roles if False, every role if None.
    """
    found = Differences()
    if left := run.hosts.left(name) if not stores else []:
        for path in left:
            found.add(f"file {path}", "left by a run that was killed, removed")
        found.steps += Absent.steps([{"path": path} for path in left], found)
    for role in run.hosts.abandoned(name):
        if stores is not None and _has_data(run, role) != stores:
            continue
        data = run.all_roles[role].data if role in run.all_roles else None
        kept = f"; its data stays in {data}" if data else ""
        found.add(f"role {role}", f"no longer concerns this host, what it made is removed{kept}")
        anyway = [Unit.plural] if _has_data(run, role) else []
        found.steps.append(manifest.forget(role, run.hosts.answer(name)["manifest"][role], {}, anyway))
    return found


def _has_data(run: Run, role: str) -> bool:
    """Return True if a role leaves a cluster and may leave data; False for a role that the project no longer has."""
    return role in run.all_roles and run.all_roles[role].data is not None
