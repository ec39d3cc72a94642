"""The files below deployment/: the catalogue for Docker Compose and for Kubernetes."""

from dataclasses import replace

from nexus.environment.environment import Environment
from nexus.environment.settings import Settings
from runbooks.compose import render as compose
from runbooks.kubernetes import tree
from runbooks.kubernetes.render import render


def files(env: Environment) -> dict[str, str]:
    """{path below deployment/: text}. `make compose-files` also writes what the Compose file mounts.

    Images of Kubernetes have tags: digests belong to a registry, and a commit names none.
    """
    tagged = replace(env, setting=Settings({**env.setting, "kubernetes_tags": True}))
    objects = tree.files(render(tagged))
    return {compose.FULL: compose.definition(env), **{f"kubernetes/{path}": text for path, text in objects.items()}}
