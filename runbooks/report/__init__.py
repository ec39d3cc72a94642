"""Report: how the platform is doing, as one page with the plots of all dashboards. Changes nothing."""

from functools import partial

from pyinfra.api.deploy import deploy

from nexus import project
from nexus.error import OperatorError
from nexus.run.run import Run
from nexus.run.runbook import Report, report
from nexus.workstation import write_whole
from roles.grafana.board import boards
from runbooks.report.question import ask

MOST_HOURS = 24 * 366


@deploy("Report")
def platform_report(hours: int) -> None:
    """Write the page, and print where it is and which panels have no data."""
    report("Report", partial(read, hours=hours))


def read(run: Run, hours: int) -> Report:
    """Ask an ops host and write the page of the last hours."""
    from runbooks.report.page import page  # its library takes a second to import

    if not 1 <= hours <= MOST_HOURS:
        raise OperatorError(f"hours={hours}: give a number from 1 to {MOST_HOURS}")
    name = run.environment.name
    answer = ask(run, boards(run.environment), hours)
    path = project.root() / "reports" / f"platform-{name}.html"
    write_whole(path, page(name, answer))
    firing = sum(alert["state"] == "firing" for alert in answer.alerts)
    down = sum(target["health"] != "up" for target in answer.targets)
    empty: dict[str, list[str]] = {}
    for shown in answer.empty:
        empty.setdefault(shown.panel.dashboard, []).append(shown.panel.title)
    lines = [f"no data: {board}: {', '.join(titles)}" for board, titles in empty.items()]
    lines.append(
        f"{name}: alerts that fire: {firing}, {down} of {len(answer.targets)} targets do not answer, "
        f"{len(answer.empty)} of {len(answer.shown)} panels without data; {path.relative_to(project.root())}"
    )
    return Report("\n".join(lines))
