"""Render, check and write: what `make kubernetes-files` prints, and what a run does before it applies anything."""

from collections.abc import Iterator
from pathlib import Path

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from runbooks.kubernetes import capacity, check, route, tree
from runbooks.kubernetes.render import Rendered, reached, render

MOST = 20  # findings that are shown


def checked(env: Environment, applied: bool = False) -> Rendered:
    """The objects of an environment; OperatorError if a check finds a mistake in them."""
    rendered = render(env, applied)
    if found := check.findings(rendered.everything, check.expected(env)):
        more = [f"... and {len(found) - MOST} more"] if len(found) > MOST else []
        text = "\n  ".join([*found[:MOST], *more])
        raise OperatorError(f"the objects of {env.name} have {len(found)} mistakes; nothing was applied:\n  {text}")
    return rendered


def written(env: Environment, directory: Path) -> Iterator[str]:
    """Write the checked objects below a directory, and tell what was found."""
    rendered = checked(env)
    changed = tree.write(directory, rendered)
    yield from notes(env)
    yield from capacity.lines(env)
    count = len(rendered.everything)
    yield f"{env.name}: {count} objects without mistakes; {len(changed)} files changed in {directory}"


def notes(env: Environment) -> Iterator[str]:
    """What the cluster's users must know, and no check refuses."""
    env = reached(env)
    absent = [name for name in env.catalogue.stores if not env.present(name)]
    if absent:
        yield f"stores absent here: {', '.join(absent)} (kubernetes_stores)"
    for line in route.lost(env):
        yield f"not served by an Ingress: {line}"
    if env.setting.kubernetes_tags:
        yield "images are named by tags, which can change (kubernetes_tags)"
