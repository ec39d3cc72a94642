"""Checks of rendered objects: the schemas of Kubernetes, and what no schema sees.

`findings` returns one line for each mistake: which object, what is wrong, and what happens in a cluster.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from runbooks.kubernetes.check import reach, reference, route, schema, shape, workload
from runbooks.kubernetes.check.expected import Expected, expected
from runbooks.kubernetes.check.index import Index
from runbooks.kubernetes.item import Object

__all__ = ["Expected", "expected", "findings", "own_findings", "schema"]

CHECKS: Sequence[Callable[[Index, Expected], Iterator[str]]] = (
    shape.check,
    workload.check,
    reference.check,
    route.check,
    reach.check,
)


def own_findings(objects: Sequence[Object], wanted: Expected) -> list[str]:
    """What no schema sees. Objects whose structure is wrong may raise no finding here: schemas come first."""
    index = Index(objects)
    return list(dict.fromkeys(line for check in CHECKS for line in _told(check, index, wanted)))


def findings(objects: Sequence[Object], wanted: Expected, versions: Iterable[str] = ()) -> list[str]:
    """Findings of the schemas of these versions of Kubernetes, the newest if none is named, and our own."""
    return [*schema.findings(objects, list(versions) or [schema.VERSIONS[-1]]), *own_findings(objects, wanted)]


def _told(check: Callable[[Index, Expected], Iterator[str]], index: Index, wanted: Expected) -> Iterator[str]:
    try:
        yield from check(index, wanted)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError, StopIteration) as error:
        name = check.__module__.rpartition(".")[2]
        yield f"the check of {name} cannot read an object: {type(error).__name__}: {error}"
