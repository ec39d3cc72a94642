"""Where other renderings of the catalogue join the handoff: files below deployment/, such as Kubernetes manifests.

A generator takes the environment and returns {path below deployment/: text}: one for `docker-compose.full.yml`, one for
`kubernetes/`. Until one is in GENERATORS, a page in its place says what there is instead.
"""

from collections.abc import Callable, Mapping

from nexus.environment.environment import Environment
from nexus.error import OperatorError

Generator = Callable[[Environment], Mapping[str, str]]
GENERATORS: list[Generator] = []
COMPOSE, KUBERNETES = "docker-compose.full.yml", "kubernetes/"


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
