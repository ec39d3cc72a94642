"""What the reports say next to each check: the environment, what was planned, and that all of it was checked."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hosts.fleet import Fleet
from hosts.item import Item


class Report:
    """Counts checks by host and keeps which planned items were really checked."""

    def __init__(self, config: pytest.Config, name: str) -> None:
        self.config, self.name = config, name
        self.fleet: Fleet | None = None
        self.checked: set[Item] = set()
        self.outcomes: dict[str, Counter[str]] = {}
        self.deselected = 0
        self._items: dict[str, tuple[str, Item | None]] = {}

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Remember that only a part was chosen."""
        self.deselected += len(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember which check is about which host and item."""
        for test in session.items:
            params = test.callspec.params if hasattr(test, "callspec") else {}
            item = params.get("item")
            host = item.host if item else params.get("hostname")
            if host:
                self._items[test.nodeid] = host, item

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a check that was carried out."""
        if report.nodeid not in self._items or not (report.when == "call" or report.outcome != "passed"):
            return
        host, item = self._items[report.nodeid]
        self.outcomes.setdefault(host, Counter())[report.outcome] += 1
        if item and report.when == "call" and not report.skipped:
            self.checked.add(item)

    def missing(self) -> list[Item]:
        """Planned items that no check was carried out for; all those of a host that could not be looked at."""
        if not self.fleet:
            return []
        asked = {item for item in self.checked | self.fleet.checked if item.host not in self.fleet.problems}
        return sorted(set(self.fleet.wanted) - asked, key=str)

    def lines(self) -> list[str]:
        """The report in words: coverage, then a line for each host."""
        if not self.fleet:
            return []
        planned = Counter(item.host for item in self.fleet.wanted)
        total, missing = sum(planned.values()), len(self.missing())
        hosts = f"{len(planned)} host{'s' * (len(planned) != 1)}"
        first = f"{self.name}: {total} planned items on {hosts}, {total - missing} of them checked"
        rest = []
        for host in self.fleet.env.hosts:
            outcomes = self.outcomes.get(host.name, Counter())
            counts = ", ".join(f"{outcomes[kind]} {kind}" for kind in ("passed", "failed", "skipped") if outcomes[kind])
            rest.append(f"{host.name}: {planned[host.name]} planned items; checks: {counts or 'none'}")
        return [first, *rest]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say it at the end of the run."""
        for number, line in enumerate(self.lines()):
            terminalreporter.write_line(line if not number else f"  {line}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """Name the environment in the title."""
        report.title = f"Hosts of {self.name}"

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str], summary: list[str], postfix: list[str]) -> None:
        """The same lines at the top of the HTML report."""
        prefix.extend(f"<p>{line}</p>" for line in self.lines())


def properties(fleet: Fleet) -> dict[str, str]:
    """Properties of the JUnit report."""
    planned = Counter(item.host for item in fleet.wanted)
    found = {"environment": fleet.env.name, "planned_items": str(len(fleet.wanted))}
    return found | {f"planned_items_{host}": str(count) for host, count in sorted(planned.items())}
