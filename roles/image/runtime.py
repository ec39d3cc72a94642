"""What other roles must know of an image to run it: probe paths and Node's heap."""

from nexus.catalogue.service import Probes
from nexus.environment.environment import Environment
from roles.image.checkout import checkout

HEAP_PERCENT = 75
HEAP_LEAST_MIB = 32  # below it Node.js does not start reliably


def heap_mb(memory_bytes: int) -> int:
    """Limit of Node's old space in MiB for a container with this much memory: `--max-old-space-size`.

    The rest is for code, stacks, buffers and the young generation, which take a larger share of a small
    container.
    """
    mebibytes = memory_bytes >> 20
    return max(HEAP_LEAST_MIB, min(mebibytes * HEAP_PERCENT // 100, mebibytes - 64))


def has_code(env: Environment, name: str) -> bool:
    """Whether the service runs its own code in this environment, not the reference service."""
    found = checkout(env)
    return bool(found and found.has(env.catalogue.service(name)))


def probes(env: Environment, name: str) -> Probes:
    """The paths of the probes that the service's image answers."""
    return env.catalogue.probes_of(env.catalogue.service(name), shipped_code=has_code(env, name))
