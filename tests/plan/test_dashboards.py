"""Dashboards: what roles bring is complete, can be read by Prometheus, and is the same from every build."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import promql_parser
import pytest

from nexus.cli.command import NO_SECRETS
from nexus.environment.environment import Environment
from nexus.environment.inventory import load
from nexus.error import OperatorError
from roles.base import panels as of_hosts
from roles.exporter.plan import exporters
from roles.grafana.board import Board, boards, panels, titles
from roles.grafana.dashboards import COLUMNS, document
from roles.grafana.panel import DASHBOARDS, Panel, plot
from roles.proxy import exporters as proxy
from roles.router import exporters as router
from roles.table import ROLES
from tests.promql import selectors

STORES = {"object-storage": "storage"}  # a store's role, if it has another name


@pytest.fixture(scope="module", params=["lab", "box", "production"])
def env(request: pytest.FixtureRequest) -> Environment:
    return load(request.param, NO_SECRETS)


def test_every_query_can_be_parsed(env: Environment) -> None:
    queries = [query.expression for panel in panels(env) for query in panel.queries]
    assert len(queries) > 100
    for query in queries:
        promql_parser.parse(query)
        assert "$" not in query.replace('"$1"', ""), "a variable of Grafana, which the report does not have"


def test_catalogue_dashboards_and_those_of_stores_are_there(env: Environment) -> None:
    found = {board.name: board.title for board in boards(env)}
    assert {board.title for board in env.catalogue.operations.monitoring.dashboards} <= set(found.values())
    present = {store for store in env.catalogue.stores if ROLES.hosts(STORES.get(store, store), env)}
    assert {"postgresql", "redis", "rabbitmq"} <= present
    assert present | {"etcd", "runs"} <= found.keys()


def test_each_catalogue_dashboard_has_a_name(env: Environment) -> None:
    known = [board.id for board in env.catalogue.operations.monitoring.dashboards]
    assert sorted(known) == sorted(name for name in DASHBOARDS.values() if isinstance(name, int))


def test_a_panel_is_named_once_and_explains_itself(env: Environment) -> None:
    for board in boards(env):
        names = Counter((panel.kind, panel.title) for panel in board.panels)
        assert [name for name, count in names.items() if count > 1] == []
    for panel in panels(env):
        assert panel.queries, panel.title
        assert panel.about.endswith("."), panel.title
        assert (panel.kind == "table") == bool(panel.row), panel.title
        if len(panel.queries) > 1:
            assert all(query.legend for query in panel.queries), panel.title


def test_two_builds_are_identical(env: Environment) -> None:
    again = load(env.name, NO_SECRETS)
    assert [document(board) for board in boards(env)] == [document(board) for board in boards(again)]


def test_dashboards_are_as_grafana_reads_them(env: Environment) -> None:
    for board in boards(env):
        found: dict[str, Any] = json.loads(document(board))
        assert (found["uid"], found["title"], found["editable"]) == (board.uid, board.title, False)
        assert [panel["title"] for panel in found["panels"]] == [panel.title for panel in board.panels]
        assert len({panel["id"] for panel in found["panels"]}) == len(board.panels)
        for made, panel in zip(found["panels"], board.panels, strict=True):
            assert [target["expr"] for target in made["targets"]] == [query.expression for query in panel.queries]
            assert {target["datasource"]["uid"] for target in made["targets"]} == {"prometheus"}
            assert len({target["refId"] for target in made["targets"]}) == len(panel.queries)


def test_panels_do_not_overlap(env: Environment) -> None:
    for board in boards(env):
        taken: Counter[tuple[int, int]] = Counter()
        for panel in json.loads(document(board))["panels"]:
            place = panel["gridPos"]
            columns, rows = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
            assert columns.stop <= COLUMNS
            taken.update((x, y) for x in columns for y in rows)
        assert set(taken.values()) == {1}


def test_a_44th_service_needs_no_panel_of_its_own() -> None:
    env = load("lab", NO_SECRETS)
    text = "".join(document(board) for board in boards(env) if board.name != "business")
    assert [name for name in env.catalogue.services if f'"{name}"' in text] == []


def test_an_unknown_dashboard_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = plot("overwiev", "Load", "number", "The load.", ("node_load1", "{{host}}"))
    monkeypatch.setattr(of_hosts, "panels", lambda _: iter([wrong]))
    with pytest.raises(OperatorError, match=r"not in roles/grafana/panel.py: overwiev"):
        boards(load("lab", NO_SECRETS))


def test_a_dashboard_that_the_catalogue_dropped_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    env = load("lab", NO_SECRETS)
    monkeypatch.setattr("roles.grafana.board.titles", lambda _: titles(env) | {"business": ""})
    assert "business" not in {board.name for board in boards(env)}


def test_a_role_without_hosts_has_no_panels() -> None:
    names = {name.name for name in boards(load("lab", NO_SECRETS))}
    assert "mongodb" not in names
    assert not ROLES.hosts("mongodb", load("lab", NO_SECRETS))


def test_a_kind_of_panel_begins_a_row() -> None:
    made = (Panel("x", "one", "number", "A.", (), "value"), Panel("x", "two", "number", "A.", (), "time series"))
    places = [panel["gridPos"] for panel in json.loads(document(Board("x", "X", made)))["panels"]]
    assert places[1]["x"] == places[0].get("x", 0) == 0
    assert places[1]["y"] == places[0]["h"]


def test_panels_read_what_exporters_and_rules_provide(env: Environment) -> None:
    """As far as a plan knows it; whether a series is there is for the report to say, from a live Prometheus."""
    names = {
        re.split(r"[{\[]", text)[0]
        for panel in panels(env)
        for query in panel.queries
        for text in selectors(query.expression)
    }
    recorded = {
        record.name
        for role, module in ROLES.bringing("alerts").items()
        if ROLES.hosts(role, env) and hasattr(module, "records")
        for record in module.records(env)
    }
    used = {name for name in names if ":" in name}
    assert used
    assert used <= recorded
    haproxy = {name for name in names if name.startswith("haproxy_")}
    assert haproxy
    assert haproxy <= {*router.METRICS, *proxy.METRICS}
    drops = {exporter.drop for host in env.hosts for exporter in exporters(env, host) if exporter.drop}
    assert [name for name in names for drop in drops if re.fullmatch(drop, name)] == []
