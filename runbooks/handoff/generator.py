"""Where other renderings of the catalogue join the handoff: files below deployment/, such as Kubernetes manifests.

A generator takes the environment and returns {path below deployment/: text}.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from nexus.environment.environment import Environment
from nexus.environment.settings import Settings
from nexus.error import OperatorError
from runbooks.compose import render as compose_files
from runbooks.kubernetes import tree
from runbooks.kubernetes.render import render

Generator = Callable[[Environment], Mapping[str, str]]


def compose(env: Environment) -> dict[str, str]:
    """The Compose file with all services and stores; `make compose-files` also writes what it mounts."""
    return {compose_files.FULL: compose_files.definition(env)}


def kubernetes(env: Environment) -> dict[str, str]:
    """Base and overlay for kustomize. Images have tags: digests belong to a registry, and a commit names none."""
    tagged = replace(env, setting=Settings({**env.setting, "kubernetes_tags": True}))
    return {f"kubernetes/{path}": text for path, text in tree.files(render(tagged)).items()}


GENERATORS: list[Generator] = [compose, kubernetes]


def generated(env: Environment) -> dict[str, str]:
    """The files of all generators; OperatorError for an empty one, or one that two generators make."""
    found: dict[str, str] = {}
    for generator in GENERATORS:
        for path, text in generator(env).items():
            if path in found or not text.strip():
                what = "two generators make this file" if path in found else "its generator made an empty file"
                raise OperatorError(f"deployment/{path}: {what}. See GENERATORS in runbooks/handoff/generator.py")
            found[path] = text
    return found
