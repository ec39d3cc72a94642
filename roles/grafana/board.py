"""The panels of all roles of an environment, sorted into dashboards. Both Grafana and the report show these."""

from dataclasses import dataclass

from nexus.environment.environment import Environment
from nexus.error import OperatorError
from roles.grafana.panel import DASHBOARDS, Panel
from roles.table import ROLES

ORDER = ("value", "time series", "table")


@dataclass(frozen=True)
class Board:
    """A dashboard: its name in panels, its title, and its panels in order."""

    name: str
    title: str
    panels: tuple[Panel, ...]

    @property
    def uid(self) -> str:
        """Its identity in Grafana, also in addresses."""
        return f"nexus-{self.name}"


def boards(env: Environment) -> list[Board]:
    """All dashboards that have panels: those of the catalogue, then ours."""
    found = panels(env)
    known = titles(env)
    if unknown := sorted({panel.dashboard for panel in found} - known.keys()):
        raise OperatorError(f"panels name dashboards that are not in roles/grafana/panel.py: {', '.join(unknown)}")
    made = [
        Board(name, title, tuple(sorted(mine, key=lambda panel: ORDER.index(panel.kind))))
        for name, title in known.items()
        if (mine := [panel for panel in found if panel.dashboard == name])
    ]
    return [board for board in made if board.title]


def titles(env: Environment) -> dict[str, str]:
    """{name: title} of dashboards; the title is empty if the catalogue no longer has its dashboard."""
    catalogue = {board.id: board.title for board in env.catalogue.operations.monitoring.dashboards}
    return {name: about if isinstance(about, str) else catalogue.get(about, "") for name, about in DASHBOARDS.items()}


def panels(env: Environment) -> list[Panel]:
    """The panels of all roles that have hosts in this environment, in the order of the roles."""
    return [
        panel
        for role, module in ROLES.bringing("panels").items()
        if ROLES.hosts(role, env)
        for panel in module.panels(env)
    ]
