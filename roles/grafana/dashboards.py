"""Grafana's dashboards, made from the panels of all roles. The same panels always make the same bytes."""

from collections.abc import Callable, Iterator

from grafana_foundation_sdk.builders import common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.common import GraphGradientMode, LegendDisplayMode, LegendPlacement, StackingMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from roles.grafana.board import Board
from roles.grafana.panel import Panel, Query

SOURCE = model.DataSourceRef(type_val="prometheus", uid="prometheus")
UNITS = {
    "number": "short",
    "ratio": "percentunit",
    "bytes": "bytes",
    "bytes per second": "Bps",
    "seconds": "s",
    "per second": "ops",
    "yes or no": "bool_yes_no",
}
SIZES = {"value": (6, 4), "time series": (12, 8), "table": (24, 10)}  # columns of 24, rows
COLUMNS = 24
AnyPanel = timeseries.Panel | stat.Panel | table.Panel


def document(board: Board) -> str:
    """The dashboard as Grafana reads it from a file."""
    made = Dashboard(board.title).uid(board.uid).tags(["nexus-cos"]).readonly().refresh("1m").time("now-3h", "now")
    made = made.timezone("browser").tooltip(model.DashboardCursorSync.CROSSHAIR)
    for number, (panel, place) in enumerate(zip(board.panels, _places(board.panels), strict=True), 1):
        made = made.with_panel(_panel(panel, number, place))
    return JSONEncoder(sort_keys=True, indent=1).encode(made.build()) + "\n"


def _places(panels: tuple[Panel, ...]) -> Iterator[model.GridPos]:
    """From left to right; a panel that does not fit begins a row, and so does each kind."""
    x = y = height = 0
    before = ""
    for panel in panels:
        wide, high = SIZES[panel.kind]
        if x + wide > COLUMNS or (before and panel.kind != before):
            x, y, height = 0, y + height, 0
        yield model.GridPos(h=high, w=wide, x=x, y=y)
        x, height, before = x + wide, max(height, high), panel.kind


def _panel(panel: Panel, number: int, place: model.GridPos) -> AnyPanel:
    kinds: dict[str, Callable[[Panel], AnyPanel]] = {"time series": _lines, "value": _value, "table": _table}
    made = kinds[panel.kind](panel)
    made = made.id(number).grid_pos(place).title(panel.title).description(panel.about).datasource(SOURCE)
    made = made.unit(UNITS[panel.unit]).no_value(panel.absent or "no data")
    for letter, query in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", panel.queries, strict=False):
        made = made.with_target(_query(query, letter, panel.kind))
    return made


def _query(query: Query, letter: str, kind: str) -> prometheus.Dataquery:
    made = prometheus.Dataquery().ref_id(letter).expr(query.expression).datasource(SOURCE)
    if kind == "table":
        return made.instant().format(PromQueryFormat.TABLE)
    made = made.legend_format(query.legend or "__auto")
    return made.instant() if kind == "value" else made.range()


def _lines(panel: Panel) -> timeseries.Panel:
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.TABLE).placement(LegendPlacement.BOTTOM)
    made = timeseries.Panel().legend(legend.show_legend(True).calcs(["lastNotNull", "max"])).line_width(1)
    made = made.min(0).fill_opacity(60 if panel.stacked else 8).gradient_mode(GraphGradientMode.NONE)
    return made.stacking(common.StackingConfig().mode(StackingMode.NORMAL)) if panel.stacked else made


def _value(panel: Panel) -> stat.Panel:
    return stat.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))


def _table(panel: Panel) -> table.Panel:
    names = {f"Value #{letter}": query.legend for letter, query in zip("ABCDEFGH", panel.queries, strict=False)}
    renamed = {"excludeByName": {"Time": True}, "renameByName": names}
    made = table.Panel().with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    for query in panel.queries:
        unit = UNITS[query.unit or panel.unit]
        made = made.override_by_name(query.legend, [model.DynamicConfigValue(id_val="unit", value=unit)])
    return made.with_transformation(model.DataTransformerConfig(id_val="organize", options=renamed))
