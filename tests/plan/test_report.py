"""The report: what Prometheus is asked, the numbers, and the page as a real browser shows it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nexus import project
from nexus.agent.lib import RemoteError
from nexus.cli.command import NO_SECRETS
from nexus.environment.inventory import load
from nexus.error import OperatorError
from roles.grafana.board import Board, boards
from roles.grafana.panel import Panel, Query, plot, table, value
from runbooks import report
from runbooks.report.host import metrics
from runbooks.report.page import jobs, page
from runbooks.report.question import Answer, ask, named, queries
from runbooks.report.question import answer as answer_of
from tests.plan.fake_prometheus import FakePrometheus
from tests.plan.fake_run import FakeRun

BROWSER = shutil.which("chromium")
BOARD = Board(
    "database",
    "Database Performance",
    (
        value("database", "Connections", "number", "How many.", ("sum(pg_connections)", "")),
        plot("database", "Transactions", "per second", "How many.", ("rate(pg_commits[5m])", "{{host}}")),
        plot("database", "Deadlocks", "per second", "How many.", ("rate(pg_deadlocks[5m]) > 0", ""), absent="None."),
        table("database", "Databases", "All of them.", "datname", ("pg_size", "size", "bytes")),
    ),
)
# Sizes of all plots as the browser draws them, and whether the page is wider than its window.
LOOK = """<script>
const sizes = [...document.querySelectorAll("svg.plot")].map(one => one.getBoundingClientRect());
document.body.dataset.plots = sizes.filter(one => one.width > 200 && one.height > 60).length;
document.body.dataset.lines = [...document.querySelectorAll("svg.plot")].filter(one => [...one.querySelectorAll("path")]
  .some(path => /^rgb/.test(getComputedStyle(path).stroke) && path.getTotalLength() > 20)).length;
document.body.dataset.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
</script>"""


class Run(FakeRun):
    """A run that reaches an ops host whose Prometheus is at a port of this machine."""

    def __init__(self, port: int, names: tuple[str, ...] = ("ops1",)) -> None:
        self.environment: Any = load("lab", {**NO_SECRETS, "prometheus_port": port})
        self.names = names

    def reaches(self, name: str) -> bool:
        return name in self.names

    def ask_source(self, name: str, source: Path, names: list[str], context: dict[str, Any]) -> dict[str, Any]:
        assert source == Path(metrics.__file__)
        try:
            found: dict[str, Any] = json.loads(json.dumps(metrics.probe(names, json.loads(json.dumps(context)))))
        except RemoteError as error:
            raise OperatorError(f"{name}: report could not be probed: {error}") from None
        return found


def asked(found: list[Board], **fake: Any) -> Answer:
    with FakePrometheus(**fake) as prometheus:
        return ask(Run(prometheus.port), found, 3)


def test_each_query_is_asked_once_over_the_hours() -> None:
    with FakePrometheus() as prometheus:
        answer = ask(Run(prometheus.port), [BOARD], 3)
    assert sorted(values.get("query", path) for path, values in prometheus.asked) == sorted(
        [query.expression for panel in BOARD.panels for query in panel.queries]
        + ["alerts", "targets", "label/__name__/values"]
    )
    ranged = [values for path, values in prometheus.asked if path == "query_range"]
    assert {int(one["end"]) - int(one["start"]) for one in ranged} == {3 * 3600}
    assert {values["query"] for path, values in prometheus.asked if path == "query"} == {
        "sum(pg_connections)",
        "pg_size",
    }
    (_, shown) = answer.boards[0]
    assert {len(line.values) for line in shown[1].lines[0]} == {3 * 3600 // 60 + 1}


def test_series_have_a_value_for_each_step_and_gaps() -> None:
    answer = asked([BOARD])
    begun, gap = sorted(answer.boards[0][1][1].lines[0], key=lambda line: line.values[0] is not None)
    assert begun.values[:10] == [None] * 10
    assert begun.last is not None
    assert [at for at, value in enumerate(gap.values) if value is None] == [9]


def test_panels_without_data_are_told_apart() -> None:
    quiet = asked([BOARD], empty="pg_deadlocks", names=("pg_deadlocks",))
    assert (quiet.empty, [shown.quiet for shown in quiet.shown]) == ([], [False, False, True, False])
    absent = asked([BOARD], empty="pg_deadlocks", names=("other",))
    assert [shown.panel.title for shown in absent.empty] == ["Deadlocks"]
    assert "no exporter sends these metrics" in page("lab", absent)
    refused = asked([BOARD], refused="pg_size")
    assert [shown.panel.title for shown in refused.empty] == ["Databases"]
    assert "found &lt;duplicate&gt; series" in page("lab", refused)


def test_the_page_is_one_file_and_escapes_what_hosts_say() -> None:
    told = page("lab", asked([BOARD]))
    assert "<script" not in told
    assert "src=" not in told
    assert "http://" not in told.replace("http://www.w3.org/", "")
    assert "url(#" not in told or set(re.findall(r"url\(#(\w+)\)", told)) <= set(re.findall(r'id="(\w+)"', told))
    assert "<b>1" not in told
    assert "&lt;b&gt;1" in told
    assert "connection &lt;refused&gt;" in told
    assert "data1: 4 % of /&lt;var&gt; is free" in told
    assert "Watchdog" not in told
    assert "<strong>1 alert</strong> fires." in told


def test_no_host_with_prometheus_is_an_error() -> None:
    with FakePrometheus() as prometheus:
        port = prometheus.port
    with pytest.raises(OperatorError, match=r"ops1: report could not be probed: Prometheus does not answer: .*refused"):
        ask(Run(port), [BOARD], 3)
    with pytest.raises(OperatorError, match="no ops host is reached"):
        ask(Run(port, names=("edge1",)), [BOARD], 3)
    with pytest.raises(OperatorError, match="hours=0: give a number from 1"):
        report.read(Run(port), 0)


def test_the_last_line_names_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(report, "boards", lambda _: [BOARD])
    with FakePrometheus(empty="pg_", names=("pg_deadlocks",)) as prometheus:
        run = Run(prometheus.port)
        templates = project.root() / "templates"
        monkeypatch.setattr("nexus.project._root", tmp_path)
        (tmp_path / "templates").symlink_to(templates)
        found = report.read(run, 3)
    assert found.text.splitlines() == [
        "no data: database: Connections, Transactions, Databases",
        "lab: alerts that fire: 1, 1 of 2 targets do not answer, 3 of 4 panels without data; reports/platform-lab.html",
    ]
    assert not found.missed
    assert "How lab is doing" in (tmp_path / "reports/platform-lab.html").read_text()


def test_all_panels_of_the_lab_are_asked_for() -> None:
    found = boards(load("lab", NO_SECRETS))
    assert len(queries(found)) == sum(len(panel.queries) for board in found for panel in board.panels) > 100


@pytest.fixture(scope="module")
def whole() -> tuple[Answer, str]:
    """The lab's report without data of Redis, and its page."""
    answer = asked(boards(load("lab", NO_SECRETS)), empty="redis_")
    return answer, page("lab", answer)


@pytest.mark.skipif(not BROWSER, reason="needs chromium")
@pytest.mark.parametrize("width", [1400, 420])
def test_a_browser_shows_every_plot(tmp_path: Path, whole: tuple[Answer, str], width: int) -> None:
    """As many plots as there are panels with data, each with lines, none wider than the window, no error."""
    answer, html = whole
    wanted = sum(shown.panel.kind == "time series" and shown.has_data for shown in answer.shown)
    assert wanted > 40
    path = tmp_path / "page.html"
    path.write_text(html.replace("</body>", f"{LOOK}</body>"))
    dom, errors = _browser(path, tmp_path, width)
    body = re.search(r"<body[^>]*>", dom)
    assert body
    seen = dict(re.findall(r'data-(\w+)="([^"]*)"', body[0]))
    assert seen == {"plots": str(wanted), "lines": str(wanted), "wide": "false"}
    assert dom.count("<article") == len(answer.shown)
    assert [line for line in errors.splitlines() if "CONSOLE" in line] == []


@pytest.mark.skipif(not BROWSER, reason="needs chromium")
def test_an_error_in_a_page_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<body><script>missing()</script></body>")
    assert "CONSOLE" in _browser(path, tmp_path, 800)[1]


def _browser(path: Path, directory: Path, width: int) -> tuple[str, str]:
    """The document as a browser has made it, and what it logs."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--window-size={width},900"]
    options += [f"--user-data-dir={directory / 'profile'}", "--dump-dom", path.as_uri()]
    done = subprocess.run([str(BROWSER), *options], capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, done.stderr


def test_a_legend_has_the_labels_of_its_series() -> None:
    labels = {"__name__": "up", "host": "app1", "job": "node"}
    assert named("{{host}}: {{ job }}", labels) == "app1: node"
    assert named("{{gone}}", labels) == ""
    assert named("", labels) == "app1 node"


def test_targets_are_counted_by_job() -> None:
    up, down = ({"labels": {"job": "node"}, "health": health} for health in ("up", "down"))
    assert jobs([up, down, up]) == {"node": (2, 3)}


def test_more_series_than_fit_are_counted() -> None:
    many = [[{"host": str(number)}, [float(number)]] for number in range(3)]
    told = {"x 0 0": {"series": many, "more": 7}, "alerts": {"alerts": []}, "targets": {"activeTargets": []}}
    panel = Panel("x", "X", "number", "A.", (Query("up"),), "time series")
    found = answer_of(
        "ops1", [Board("x", "X", (panel,))], {**told, "names": [], "times": {"start": 0, "end": 60, "step": 60}}
    )
    assert found.shown[0].more == 7
