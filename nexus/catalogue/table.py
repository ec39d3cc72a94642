"""The catalogue as plain text, at most 120 columns wide."""

from collections import Counter
from collections.abc import Iterator

from nexus.catalogue.catalogue import Catalogue
from nexus.catalogue.size import GIB, Scale, asked, size

_ROW = "{:<31} {:>4} {:<8} {:<9} {:>3} {:>6} {:>8} {:>3}  {}"


def table(catalogue: Catalogue, scale: Scale) -> Iterator[str]:
    """One line for each service in start order, sized by the scale."""
    header = _ROW.format("service", "port", "phase", "category", "n", "cpu", "memory", "gpu", "stores")
    yield header
    yield "-" * 120
    for phase, services in catalogue.phases():
        for service in services:
            own = size(service, scale)
            yield _ROW.format(
                service.name,
                service.port,
                phase.name,
                service.category,
                own.replicas,
                f"{own.cpu_millicores}m" if own.cpu_millicores else "-",
                f"{own.memory_bytes // 2**20}Mi",
                own.gpus or "",
                ", ".join(service.stores),
            ).rstrip()


def totals(catalogue: Catalogue, scale: Scale) -> Iterator[str]:
    """What the catalogue contains and requests, and whether the documents' cluster is large enough."""
    services = catalogue.services.values()
    counts = Counter(service.category for service in services)
    named = ", ".join(f"{category.name} {counts[category.name]}" for category in catalogue.platform.categories)
    yield f"{len(catalogue.services)} services ({named}), {len(catalogue.modules)} modules, " + (
        f"{len(catalogue.routes)} routes"
    )
    yield "stores: " + ", ".join(f"{s} {len(catalogue.services_of_store(s))}" for s in catalogue.stores)
    full = asked(catalogue, Scale.of({}))
    stated = catalogue.platform.stated_cluster
    fits = full.cpu_millicores <= stated.cpu_cores * 1000 and full.memory_bytes <= stated.memory_gib * GIB
    verdict = "fits" if fits else "does not fit"
    yield (
        f"full size: {full.replicas} replicas, {full}; "
        f"{verdict} in the documents' {stated.cpu_cores} cores, {stated.memory_gib} GiB"
    )
    here = asked(catalogue, scale)
    if here != full:
        yield f"this environment: {here.replicas} replicas, {here}"
