"""What Elasticsearch and Kibana are told: retention, fields, saved objects, and how a run compares them.

tests/scenarios/test_search_store.py indexes and searches with the same pipeline and template.
"""

from __future__ import annotations

import http.client
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from nexus.agent.change import Change
from nexus.agent.lib import RemoteError
from nexus.environment.environment import Environment
from nexus.plan.desired import State
from roles.elk import plan as elk
from roles.elk import saved, search
from roles.elk.host import kibana, state
from roles.elk.host.api import Api
from tests.plan.environments import environment

EIGHT = ["timestamp", "level", "service", "message", "requestId", "userId", "duration", "statusCode"]


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    key = tmp_path / "key.asc"
    key.write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
    return environment(tmp_path, elk_enabled=True, elk_key_file=str(key))


def states(env: Environment) -> dict[str, State]:
    return {state.name: state for state in elk.plan(env, env.host("ops1")).states}


def test_retention_comes_from_the_catalogue(env: Environment) -> None:
    logging = env.catalogue.operations.logging
    phases = search.phases(env)
    assert phases["warm"]["min_age"] == f"{logging.retention_hot_days}d" == "30d"
    assert phases["delete"]["min_age"] == f"{logging.retention_archive_days}d" == "365d"
    assert phases["delete"]["actions"] == {"delete": {}}
    assert phases["hot"]["actions"]["rollover"]["max_primary_shard_size"] == f"{env.setting.elk_index_gb}gb"
    index = search.template(env)["template"]["settings"]["index"]
    assert index["lifecycle"] == {"name": "nexus-cos"}
    assert f"lifecycle policy {index['lifecycle']['name']}" in search.items(env)
    assert f"ingest pipeline {index['default_pipeline']}" in search.items(env)


def test_the_eight_fields_can_be_searched(env: Environment) -> None:
    assert list(env.catalogue.operations.logging.fields) == EIGHT
    template = search.template(env)
    mapped = template["template"]["mappings"]["properties"]
    assert {mapped[name]["type"] for name in EIGHT} == {"alias", "keyword", "text", "float", "short"}
    assert template["index_patterns"] == ["nexus-cos-*"]
    assert search.stream(env) == "nexus-cos-logs"
    (_, processor) = search.pipeline(env)["processors"]
    # The time is the journal's, under the name that Elasticsearch wants.
    assert processor["script"]["params"]["names"] == EIGHT[1:]


def test_a_field_that_the_catalogue_adds_is_a_keyword(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    operations = env.catalogue.operations
    more = operations.logging.model_copy(update={"fields": (*EIGHT, "tenant")})
    changed = SimpleNamespace(operations=operations.model_copy(update={"logging": more}))
    monkeypatch.setitem(env.__dict__, "catalogue", changed)
    assert search.template(env)["template"]["mappings"]["properties"]["tenant"]["type"] == "keyword"
    assert "tenant" in search.pipeline(env)["processors"][1]["script"]["params"]["names"]


def test_saved_objects_are_whole_and_the_same_each_time(env: Environment) -> None:
    objects = saved.objects(env)
    written = saved.ndjson(objects)
    assert written == saved.ndjson(saved.objects(env))
    assert [json.loads(line) for line in written.splitlines()] == objects
    known: set[tuple[str, str]] = set()
    for one in objects:
        assert {(reference["type"], reference["id"]) for reference in one["references"]} <= known
        known.add((one["type"], one["id"]))
    assert len(known) == len(objects)
    assert [one["type"] for one in objects].count("dashboard") == 2


def test_saved_objects_use_fields_that_exist(env: Environment) -> None:
    mapped = set(search.properties(env))
    used = set()
    for one in saved.objects(env):
        attributes = one["attributes"]
        used |= set(attributes.get("columns", ()))
        for aggregation in json.loads(attributes.get("visState", "{}")).get("aggs", []):
            used |= {aggregation["params"]["field"]} if "field" in aggregation["params"] else set()
        if "kibanaSavedObjectMeta" in attributes:
            query = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"]
            used |= set(re.findall(r"(\w+):", query))
    assert used >= {*EIGHT, "@timestamp", "hostname"}
    assert used <= mapped
    (view,) = [one["attributes"] for one in saved.objects(env) if one["type"] == "index-pattern"]
    assert (view["title"], view["timeFieldName"]) == ("nexus-cos-*", "@timestamp")


def test_a_dashboard_names_each_of_its_panels(env: Environment) -> None:
    for board in (one for one in saved.objects(env) if one["type"] == "dashboard"):
        panels = json.loads(board["attributes"]["panelsJSON"])
        names = {f"{panel['panelIndex']}:{panel['panelRefName']}" for panel in panels}
        assert names == {reference["name"] for reference in board["references"]}
        assert len(panels) >= 3


def test_a_changed_object_is_noticed(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    before = states(env)["kibana"].items
    monkeypatch.setattr(saved, "WRONG", "level: fatal")
    monkeypatch.setattr(saved, "WIDTH", 12)
    after = states(env)["kibana"].items
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"dashboard nexus-cos-overview", "dashboard nexus-cos-requests", "visualization nexus-cos-errors"}


class Server(Api):
    """Answers from a table, and keeps what it was sent."""

    def __init__(self, answers: dict[str, object] | None = None) -> None:
        super().__init__("Elasticsearch", lambda: http.client.HTTPConnection("127.0.0.1", 9), "user", ["password"])
        self.answers = answers or {}
        self.sent: list[tuple] = []

    def send(self, method, path, body=None, kind="application/json", none=0):
        self.sent.append((method, path, body, kind))
        return self.answers.get(path)


def test_what_elasticsearch_adds_is_no_difference(env: Environment) -> None:
    planned = search.items(env)
    template = json.loads(json.dumps(planned["index template nexus-cos"]))
    template["template"]["settings"]["index"]["priority"] = "1"
    phases = json.loads(json.dumps(planned["lifecycle policy nexus-cos"]["phases"]))
    phases["hot"]["min_age"] = "0ms"
    answers = {
        "/_ilm/policy/nexus-cos": {"nexus-cos": {"version": 3, "policy": {"phases": phases}}},
        "/_index_template/nexus-cos": {"index_templates": [{"name": "nexus-cos", "index_template": template}]},
    }
    found = state.existing(Server(answers), list(planned), planned)
    assert found == {name: planned[name] for name in planned if not name.startswith("ingest pipeline")}
    phases["delete"]["min_age"] = "90d"
    found = state.existing(Server(answers), list(planned), planned)
    assert found["lifecycle policy nexus-cos"] == {"phases": phases}


def test_a_run_makes_what_is_missing_in_order(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    planned, server = search.items(env), Server()
    monkeypatch.setattr(state, "api", lambda context: server)
    state.apply(Change(planned, sorted(planned)))
    paths = ["/_ilm/policy/nexus-cos", "/_ingest/pipeline/nexus-cos", "/_index_template/nexus-cos"]
    assert [(method, path) for method, path, *_ in server.sent] == [("PUT", path) for path in paths]
    assert json.loads(server.sent[0][2]) == {"policy": {"phases": search.phases(env)}}
    assert state.probe([], {"unit_file": "/nowhere"}) == {}


def test_kibana_gets_all_objects_and_tells_what_it_refused(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = saved.objects(env)
    missing = {"type": "search", "id": "nexus-cos-lines", "error": {"statusCode": 404}}
    server = Server({kibana.READ: {"saved_objects": [objects[0], missing]}, kibana.IMPORT: {"success": True}})
    planned = states(env)["kibana"]
    found = kibana.existing(server, list(planned.items))
    assert found == {"index-pattern nexus-cos-logs": planned.items["index-pattern nexus-cos-logs"]}
    monkeypatch.setattr(kibana, "api", lambda context: server)
    kibana.apply(Change(planned.items, list(planned.items), payload=planned.payload))
    method, path, body, kind = server.sent[-1]
    assert (method, path) == ("POST", kibana.IMPORT)
    boundary = kind.partition("boundary=")[2].encode()
    assert body.split(b"\r\n\r\n")[1].partition(b"\r\n--" + boundary)[0].decode() == saved.ndjson(objects)
    server.answers[kibana.IMPORT] = {"success": False, "errors": [{"id": "nexus-cos-lines"}]}
    with pytest.raises(RemoteError, match=r"Kibana did not take all saved objects: .*nexus-cos-lines"):
        kibana.load(server, "")
