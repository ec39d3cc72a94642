"""Kibana's saved objects: a data view with the catalogue's fields, a search, plots and two dashboards.

The same catalogue makes the same bytes. A description ends with a digest of its object, by which a run notices that
Kibana has another one.
"""

import hashlib
import json
from typing import Any

from nexus.environment.environment import Environment

Object = dict[str, Any]
VERSIONS = {"index-pattern": "8.0.0", "search": "8.0.0", "visualization": "8.5.0", "dashboard": "8.9.0"}  # of formats
CORE_VERSION = "8.8.0"
VIEW = "nexus-cos-logs"
LINES = "nexus-cos-lines"
WRONG = "level: (error or fatal)"
WIDTH, HEIGHT = 24, 15  # of a panel, in Kibana's grid of 48 columns


def objects(env: Environment) -> list[Object]:
    """All saved objects, each after those that it refers to."""
    fields = list(env.catalogue.operations.logging.fields)
    plots = [
        _plot("levels", "Lines by level", "Lines over time.", "histogram", [_over_time(), _top("level", "group", 5)]),
        _plot("errors", "Errors by service", "Which service told of errors.", "table", [_top("service")], WRONG),
        _plot("services", "Lines by service", "Who writes most.", "table", [_top("service")]),
        _plot("hosts", "Lines by host", "Where lines come from.", "table", [_top("hostname")]),
        _plot(
            "answers", "Answers by status", "Over time.", "histogram", [_over_time(), _top("statusCode", "group", 8)]
        ),
        _plot("durations", "Duration by service", "As services tell it.", "table", [_slow(), _top("service")]),
    ]
    by_name = {plot["id"].removeprefix("nexus-cos-"): plot for plot in plots}
    overview = [by_name[name] for name in ("levels", "errors", "services", "hosts")]
    lines = _lines(fields)
    requests = [by_name["answers"], by_name["durations"], lines]
    return [
        _view(str(env.catalogue.operations.logging.index_pattern)),
        lines,
        *plots,
        _dashboard("overview", "Log lines", "Levels, errors, services and hosts.", overview),
        _dashboard("requests", "Requests in logs", "Look for a request with requestId: ID.", requests),
    ]


def ndjson(made: list[Object]) -> str:
    """The objects as Kibana imports them, one in each line."""
    return "".join(json.dumps(one, sort_keys=True) + "\n" for one in made)


def _view(pattern: str) -> Object:
    attributes = {"title": pattern, "name": "Log lines of Nexus COS", "timeFieldName": "@timestamp"}
    return _object("index-pattern", VIEW, attributes)


def _lines(fields: list[str]) -> Object:
    first = ["timestamp", "level", "service", "message"]
    columns = sorted(fields, key=lambda name: first.index(name) if name in first else len(first))
    shown = {"title": "Log lines", "columns": columns, "sort": [["@timestamp", "desc"]], "grid": {}}
    return _described("search", LINES, "All lines, newest first.", {**shown, **_source()}, [_of_view()])


def _plot(name: str, title: str, about: str, kind: str, aggregations: list[Object], query: str = "") -> Object:
    counted = [{"enabled": True, "type": "count", "schema": "metric", "params": {}}, *aggregations]
    numbered = [{"id": str(number), **one} for number, one in enumerate(counted, 1)]
    state = {"title": title, "type": kind, "aggs": numbered, "params": _axes() if kind == "histogram" else _rows()}
    attributes = {"title": title, "visState": _text(state), "uiStateJSON": "{}", "version": 1, **_source(query)}
    return _described("visualization", f"nexus-cos-{name}", about, attributes, [_of_view()])


def _dashboard(name: str, title: str, about: str, shown: list[Object]) -> Object:
    panels = [_panel(number, one, wide=one["type"] == "search") for number, one in enumerate(shown)]
    references = [
        {"id": one["id"], "type": one["type"], "name": f"{number}:panel_{number}"} for number, one in enumerate(shown)
    ]
    attributes = {
        "title": f"Nexus COS: {title}",
        "panelsJSON": _text(panels),
        "optionsJSON": _text({"useMargins": True, "hidePanelTitles": False}),
        "timeRestore": True,
        "timeFrom": "now-1h",
        "timeTo": "now",
        "version": 1,
        "kibanaSavedObjectMeta": {"searchSourceJSON": _text({"query": _query(""), "filter": []})},
    }
    return _described("dashboard", f"nexus-cos-{name}", about, attributes, references)


def _panel(number: int, one: Object, wide: bool) -> Object:
    place = {"x": number % 2 * WIDTH, "y": number // 2 * HEIGHT, "w": WIDTH * (2 if wide else 1), "h": HEIGHT}
    return {
        "type": one["type"],
        "gridData": {**place, "i": str(number)},
        "panelIndex": str(number),
        "embeddableConfig": {"enhancements": {}},
        "panelRefName": f"panel_{number}",
        "version": "8.9.0",
    }


def _described(kind: str, name: str, about: str, attributes: Object, references: list[Object]) -> Object:
    digest = hashlib.sha256(_text([about, attributes, references]).encode()).hexdigest()[:12]
    return _object(kind, name, {**attributes, "description": f"{about} Plan {digest}."}, references)


def _object(kind: str, name: str, attributes: Object, references: list[Object] | None = None) -> Object:
    versions = {"coreMigrationVersion": CORE_VERSION, "typeMigrationVersion": VERSIONS[kind]}
    return {"type": kind, "id": name, "attributes": attributes, "references": references or [], **versions}


def mark(one: Object) -> str:
    """By what an object is compared: its description, or the pattern of a data view, which has none."""
    attributes = one["attributes"]
    return str(attributes.get("description") or attributes["title"])


def _source(query: str = "") -> Object:
    source = {"query": _query(query), "filter": [], "indexRefName": _of_view()["name"]}
    return {"kibanaSavedObjectMeta": {"searchSourceJSON": _text(source)}}


def _of_view() -> Object:
    return {"id": VIEW, "type": "index-pattern", "name": "kibanaSavedObjectMeta.searchSourceJSON.index"}


def _query(query: str) -> Object:
    return {"query": query, "language": "kuery"}


def _over_time() -> Object:
    params = {"field": "@timestamp", "interval": "auto", "min_doc_count": 1, "extended_bounds": {}}
    return {"enabled": True, "type": "date_histogram", "schema": "segment", "params": params}


def _top(field: str, schema: str = "bucket", size: int = 20) -> Object:
    params = {"field": field, "orderBy": "1", "order": "desc", "size": size, "otherBucket": False}
    return {"enabled": True, "type": "terms", "schema": schema, "params": params}


def _slow() -> Object:
    params = {"field": "duration", "percents": [50, 95, 99]}
    return {"enabled": True, "type": "percentiles", "schema": "metric", "params": params}


def _rows() -> Object:
    return {"perPage": 20, "showPartialRows": False, "showMetricsAtAllLevels": False, "showTotal": False}


def _axes() -> Object:
    bottom = {
        "id": "CategoryAxis-1",
        "type": "category",
        "position": "bottom",
        "show": True,
        "scale": {"type": "linear"},
    }
    left = {"id": "ValueAxis-1", "name": "LeftAxis-1", "type": "value", "position": "left", "show": True}
    left |= {"scale": {"type": "linear", "mode": "normal"}, "labels": {"show": True}, "title": {"text": "Lines"}}
    data = {"id": "1", "label": "Lines"}
    series = {"show": True, "type": "histogram", "mode": "stacked", "data": data, "valueAxis": "ValueAxis-1"}
    shown = {"categoryAxes": [{**bottom, "labels": {"show": True}, "title": {}}], "valueAxes": [left]}
    return {"type": "histogram", **shown, "seriesParams": [series], "addLegend": True, "legendPosition": "right"}


def _text(content: Any) -> str:
    return json.dumps(content, sort_keys=True)
