"""The services' health at the end of a run, in words."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from nexus.run.run import Run

SAME = 5  # more services than this with the same reason share one line


@dataclass
class Verdict:
    """The last answers of services: {service: "" or why it is not healthy}; None before the first request.

    While some services are not healthy, `causes` are all other differences, as "HOST: ROLE: ...", and `logs` are
    their last lines.
    """

    run: Run
    services: dict[str, str] | None = None
    causes: list[str] = field(default_factory=list)
    logs: dict[str, list[str]] = field(default_factory=dict)

    @property
    def waiting(self) -> list[str]:
        """Services that are not healthy."""
        return [name for name, why in (self.services or {}).items() if why]

    def parts(self) -> Iterator[str]:
        """Parts of the closing line, such as "43/43 services healthy"."""
        if self.services is not None:
            yield f"{len(self.services) - len(self.waiting)}/{len(self.services)} services healthy"
            if absent := self._absent_stores():
                yield f"absent here: {', '.join(absent)}"

    def tell(self) -> None:
        """Print the causes, and each service that is not healthy with its reason and last log lines."""
        for cause in self.causes:
            click.secho(f"  known cause: {cause}", fg="red", err=True)
        reasons: dict[str, list[str]] = defaultdict(list)
        for service, why in sorted((self.services or {}).items()):
            if why:
                reasons[why].append(service)
        for why, services in reasons.items():
            if len(services) > SAME:
                click.secho(f"  {len(services)} services: {why}", fg="red", err=True)
            for service in services if len(services) <= SAME else [name for name in services if name in self.logs]:
                click.secho(f"  {service:32} {why}", fg="red", err=True)
                for line in self.logs.get(service, []):
                    click.echo(f"  {'':32} | {line}", err=True)

    def _absent_stores(self) -> list[str]:
        """Stores that some service of the catalogue declares but this environment does not have for it."""
        env = self.run.environment
        wanted = {(store, service.name) for service in env.catalogue.services.values() for store in service.stores}
        return sorted({store for store, service in wanted if not env.present(store, service)})


def verdict(run: Run) -> Verdict:
    """The verdict of this run."""
    found = run.outcome.conclusions.setdefault("health", Verdict(run))
    assert isinstance(found, Verdict)
    return found
