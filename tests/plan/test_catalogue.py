"""The real catalogue holds what the handoff documents count, and every mistake in it is named in full.

Mistakes are made in a copy of the real files, one edit each.
"""

from __future__ import annotations

import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from roles.catalogue import DIRECTORY, CatalogueError, load
from roles.catalogue import __main__ as command
from roles.catalogue.errors import Problem
from roles.catalogue.quantity import memory_bytes, millicores


@pytest.fixture(scope="module")
def catalogue():
    return load()


@pytest.fixture
def broken(tmp_path):
    """A function that edits a copy of the real files and returns the problems found in it."""
    shutil.copytree(DIRECTORY, tmp_path / "catalogue")

    def edit(file: str, *replacements: tuple[str, str]) -> tuple[Problem, ...]:
        path = tmp_path / "catalogue" / file
        text = path.read_text()
        for old, new in replacements:
            assert old in text, f"{file} no longer holds {old!r}; edit the test"
            text = text.replace(old, new, 1)
        path.write_text(text)
        with pytest.raises(CatalogueError) as raised:
            load(tmp_path / "catalogue")
        for problem in raised.value.problems:
            assert str(problem) in str(raised.value)
        return raised.value.problems

    edit.directory = tmp_path / "catalogue"
    return edit


def line_of(file: str, text: str) -> int:
    """Line of the real file that holds the text first."""
    lines = (DIRECTORY / file).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def in_service(name: str, field: str) -> tuple[str, str]:
    """The text from a service's name to the given field's line, as (text, line)."""
    text = (DIRECTORY / "services.yaml").read_text()
    start = text.index(f"- name: {name}\n")
    at = text.index(f"    {field}:", start)
    return text[start:at], text[at : text.index("\n", at)]


# what the documents count


def test_counts_are_those_of_the_handoff_documents(catalogue):
    services = catalogue.services.values()
    assert len(catalogue.services) == 43
    assert Counter(service.category for service in services) == {
        "core": 5,
        "streaming": 4,
        "content": 3,
        "ai": 5,
        "platform": 26,
    }
    assert Counter(service.domain for service in services) == {
        "authentication": 5,
        "content": 6,
        "business": 4,
        "ai": 5,
        "commerce": 4,
        "finance": 2,
        "logistics": 3,
        "entertainment": 5,
        "platform": 5,
        "specialized": 4,
    }
    assert len(catalogue.routes) == 44
    assert len({route.service for route in catalogue.routes}) == 42
    assert len(catalogue.modules) == 16


def test_requests_sum_up_to_more_than_the_stated_cluster(catalogue):
    services = catalogue.services.values()
    assert sum(s.replicas for s in services) == 113
    assert sum(s.replicas * s.cpu_millicores for s in services) == 102_000
    assert sum(s.replicas * s.memory_bytes for s in services) == 204 * 2**30
    assert sum(s.replicas * s.gpu for s in services) == 6


def test_stores_have_the_services_that_declare_them(catalogue):
    count = {store: len(catalogue.services_of_store(store)) for store in catalogue.store_names}
    assert count == {"postgresql": 26, "redis": 9, "rabbitmq": 15, "mongodb": 1, "object-storage": 2}


# what roles rely on


def test_services_start_after_what_they_depend_on(catalogue):
    started: set[str] = set()
    for service in catalogue.services.values():
        assert set(service.depends_on) <= started
        started.add(service.name)


def test_phases_hold_every_service_once_in_start_order(catalogue):
    phases = catalogue.phases()
    assert [phase.name for phase, _ in phases] == ["core", "platform", "domain"]
    assert [s.name for _, services in phases for s in services] == list(catalogue.services)
    assert [s.name for s in phases[0][1]] == [
        "key-service",
        "token-mgr",
        "session-mgr",
        "user-auth",
        "auth-service",
    ]


def test_every_service_but_the_gateway_has_a_route(catalogue):
    without = [name for name in catalogue.services if not catalogue.routes_of(name)]
    assert without == [catalogue.gateway.api_gateway.service] == ["backend-api"]


def test_route_may_lead_to_another_path_of_the_service(catalogue):
    by_path = {route.path: route for route in catalogue.routes}
    assert by_path["/api/sessions/"].target == "/sessions/"
    assert by_path["/api/orders/"].target == "/api/orders/"
    assert by_path["/api/orders/"].is_prefix
    assert not by_path["/api/auth/login"].is_prefix


def test_derived_names(catalogue):
    assert catalogue.service("auth-service").database == "auth_service"
    assert catalogue.service("session-mgr").key_prefixes == ("session-mgr:", "session:")
    assert catalogue.service("scheduler").key_prefixes == ("scheduler:",)
    assert catalogue.namespace_of(catalogue.service("auth-service")) == "nexus-auth"
    assert catalogue.timeout_ms("streaming-service-v2") == 10000
    assert catalogue.timeout_ms("glitch") == 5000


def test_shipped_code_is_probed_where_it_answers(catalogue):
    glitch = catalogue.service("glitch")
    assert catalogue.probes_of(glitch, shipped_code=True).readiness == "/health"
    assert catalogue.probes_of(glitch, shipped_code=False).readiness == "/health/ready"
    assert [s.name for s in catalogue.services.values() if s.source is None] == ["kei-ai"]
    assert {s.name for s in catalogue.services.values() if s.source and s.source.needs_middleware} == {
        "user-auth",
        "key-service",
        "puabomusicchain",
        "v-prompter-pro",
    }
    assert sum(s.source.stop_exit_code == 1 for s in catalogue.services.values() if s.source) == 28
    assert 1 in glitch.source.accepted_exit_codes


def test_unknown_service_is_answered_with_the_nearest(catalogue):
    with pytest.raises(KeyError, match="did you mean 'glitch'"):
        catalogue.service("glich")


def test_load_reads_once(catalogue):
    assert load() is catalogue


def test_entries_cannot_be_changed(catalogue):
    with pytest.raises(ValueError, match="frozen"):
        catalogue.service("glitch").port = 1


# a part of the platform


def test_without_takes_out_everything_about_a_service(catalogue):
    rest = catalogue.without({"puabo-nuki-order-processor", "puabo-nexus-ai-dispatch"})
    assert len(rest.services) == 41
    assert len(rest.routes) == 42
    text = "".join(file.model_dump_json() for file in (rest.platform, rest.applications, rest.gateway))
    assert "puabo-nuki-order-processor" not in text
    assert "puabo-nexus-ai-dispatch" not in text
    assert rest.without(()) is rest


def test_without_leaves_nothing_that_lacks_what_it_needs(catalogue):
    with pytest.raises(CatalogueError) as raised:
        catalogue.without({"key-service", "glich"})
    text = str(raised.value)
    assert "'key-service' cannot go, token-mgr depends on it" in text
    assert "'key-service' cannot go, pv-keys depends on it" in text
    assert "did you mean 'glitch'" in text


def test_order_of_rollback_forgets_what_is_gone(catalogue):
    gone = {"billing-service"}
    while needing := {s.name for name in gone for s in catalogue.dependents(name)} - gone:
        gone |= needing
    rest = catalogue.without(gone)
    assert "billing-service" not in rest.operations.rollback.order
    assert "puabo-nuki-order-processor" not in rest.services


# mistakes in one file or between entries: file, edit, and line, entry, field and words of the one problem

ONE_MISTAKE = {
    "unknown dependency": (
        "services.yaml",
        ("depends_on: [session-mgr]", "depends_on: [sesion-mgr]"),
        (
            "user-auth",
            "depends_on",
            "'sesion-mgr' is no service of the catalogue; did you mean 'session-mgr'?",
        ),
    ),
    "unknown store": (
        "services.yaml",
        ("stores: [postgresql, mongodb, object-storage]", "stores: [postgresql, mongdb, object-storage]"),
        ("content-management", "stores", "'mongdb' is no store of the catalogue; did you mean 'mongodb'?"),
    ),
    "unknown category": (
        "services.yaml",
        ("category: streaming", "category: steaming"),
        (
            "streaming-service-v2",
            "category",
            "'steaming' is no category of the catalogue; did you mean 'streaming'?",
        ),
    ),
    "unknown domain": (
        "services.yaml",
        ("domain: finance", "domain: finances"),
        ("puabo-blac-loan-processor", "domain", "did you mean 'finance'?"),
    ),
    "duplicate port": (
        "services.yaml",
        ("port: 3062", "port: 3061"),
        ("puabo-nexus-route-optimizer", "port", "3061 is taken, in line"),
    ),
    "duplicate key": (
        "services.yaml",
        ("    port: 3062\n", "    port: 3062\n    port: 3063\n"),
        ("", "", "key 'port' stands here a second time"),
    ),
    "unknown field": (
        "services.yaml",
        ("    gpu: 1\n", "    gpus: 1\n"),
        ("kei-ai", "gpus", "is no field here; did you mean 'gpu'?"),
    ),
    "unknown field in depth": (
        "services.yaml",
        ("language: python", "lang: python"),
        ("billing-service", "source.lang", "did you mean 'language'?"),
    ),
    "port as text": (
        "services.yaml",
        ("port: 3062", "port: http"),
        ("puabo-nexus-route-optimizer", "port", "'http'"),
    ),
    "port out of range": (
        "services.yaml",
        ("port: 3062", "port: 70000"),
        (
            "puabo-nexus-route-optimizer",
            "port",
            "70000 is wrong: input should be less than or equal to 65535",
        ),
    ),
    "no replica": (
        "services.yaml",
        ("replicas: 5", "replicas: 0"),
        ("streaming-service-v2", "replicas", "0 is wrong"),
    ),
    "cpu": (
        "services.yaml",
        ("cpu: 250m", "cpu: 250 m"),
        ("session-mgr", "cpu", "'250 m' is wrong: write thousandths"),
    ),
    "memory": (
        "services.yaml",
        ("memory: 512Mi", "memory: 512MB"),
        ("session-mgr", "memory", "as 512Mi or 2Gi"),
    ),
    "unknown phase": (
        "services.yaml",
        ("startup_phase: 4", "startup_phase: 9"),
        ("auth-service-v2", "startup_phase", "9 is no phase of operations.yaml; known are: 1, 2, 3, 4, 5"),
    ),
    "count of a category": (
        "services.yaml",
        ("- {name: ai}", "- {name: ai, services: 6}"),
        ("ai", "services", "6 services are stated and 5 found"),
    ),
    "count of a domain": (
        "services.yaml",
        ("namespace: nexus-finance}", "namespace: nexus-finance, services: 1}"),
        ("finance", "services", "1 services are stated and 2 found"),
    ),
    "key prefix of another": (
        "services.yaml",
        ('redis_key_prefixes: ["blacklist:"]', 'redis_key_prefixes: ["session-mgr:"]'),
        ("token-mgr", "redis_key_prefixes", "'session-mgr:' overlaps 'session-mgr:' of session-mgr"),
    ),
    "key prefix without redis": (
        "services.yaml",
        ("    handshake: true\n", '    handshake: true\n    redis_key_prefixes: ["user:"]\n'),
        ("user-auth", "redis_key_prefixes", "redis is not among its stores"),
    ),
    "event of a service without rabbitmq": (
        "services.yaml",
        ("consumers: [ledger-mgr, invoice-gen]", "consumers: [ledger-mgr, glitch]"),
        ("PaymentProcessed", "consumers", "'glitch' lacks rabbitmq in its stores"),
    ),
    "unknown service in a flow": (
        "services.yaml",
        ("ai: [backend-api, kei-ai, ai-service]", "ai: [backend-api, key-ai, ai-service]"),
        ("flows", "ai", "did you mean 'kei-ai'?"),
    ),
    "dependency named twice": (
        "services.yaml",
        ("depends_on: [auth-service, token-mgr]", "depends_on: [token-mgr, token-mgr]"),
        ("auth-service-v2", "depends_on", "'token-mgr' stands here 2 times"),
    ),
    "unknown service of a route": (
        "gateway.yaml",
        ("service: glitch,", "service: glitsch,"),
        ("/api/errors/", "service", "'glitsch' is no service of the catalogue; did you mean 'glitch'?"),
    ),
    "two routes with one path": (
        "gateway.yaml",
        ("path: /api/loans/", "path: /api/risk/"),
        ("/api/risk/", "path", "'/api/risk/' is taken, in line"),
    ),
    "target without its slash": (
        "gateway.yaml",
        ("upstream_path: /sessions/", "upstream_path: /sessions"),
        ("/api/sessions/", "upstream_path", "end it with a slash"),
    ),
    "unknown method": (
        "gateway.yaml",
        ("methods: [GET]", "methods: [GTE]"),
        ("/api/stream/", "methods", "'GTE' is wrong"),
    ),
    "unknown service of a timeout": (
        "gateway.yaml",
        ("streaming-service-v2: 10000", "streaming-service: 10000"),
        ("timeouts_ms", "services.streaming-service", "did you mean 'streaming-service-v2'?"),
    ),
    "unknown service of a module": (
        "modules.yaml",
        ("services: [streamcore, streaming-service-v2", "services: [streamcor, streaming-service-v2"),
        ("streamcore", "services", "did you mean 'streamcore'?"),
    ),
    "figure below zero": (
        "operations.yaml",
        ("rpo_hours: 1", "rpo_hours: -1"),
        ("disaster_recovery", "rpo_hours", "-1 is wrong"),
    ),
    "alert with two conditions": (
        "operations.yaml",
        ("name: HighCPU", "name: HighCPU\n      below: 0.1"),
        ("HighCPU", "", "give exactly one of above, below and equals"),
    ),
    "unknown service to roll back": (
        "operations.yaml",
        ("order: [auth-service, backend-api", "order: [auth-service, backend-apy"),
        ("rollback", "order", "did you mean 'backend-api'?"),
    ),
}


@pytest.mark.parametrize("mistake", ONE_MISTAKE)
def test_mistake_is_named_with_place_and_remedy(broken, mistake):
    file, edit, (entry, field, words) = ONE_MISTAKE[mistake]
    problems = broken(file, edit)
    assert len(problems) == 1, [str(problem) for problem in problems]
    (problem,) = problems
    assert (problem.file, problem.entry) == (file, entry)
    assert problem.field.split(".")[: field.count(".") + 1] == field.split(".")
    assert words in problem.message
    expected = line_of(file, edit[0].strip().splitlines()[0])
    added = edit[1].count("\n") - edit[0].count("\n")
    assert expected - 1 <= problem.line <= expected + max(added, 1)


def test_duplicate_name_says_where_the_first_is(broken):
    problems = broken("services.yaml", ("- name: scheduler\n", "- name: ledger-mgr\n"))
    first = line_of("services.yaml", "- name: ledger-mgr")
    taken = [p for p in problems if p.field == "name"]
    assert [p.message for p in taken] == [f"'ledger-mgr' is taken, in line {first}; choose another"]
    # whoever needs the name that is gone is told too
    assert any("'scheduler' is no service" in p.message for p in problems)


def test_cycle_is_printed(broken):
    before, line = in_service("token-mgr", "depends_on")
    problems = broken(
        "services.yaml", (before + line, before + "    depends_on: [key-service, auth-service]")
    )
    (problem,) = [p for p in problems if "cycle" in p.message]
    ring = problem.message.removeprefix("cycle ").split(";")[0].split(" -> ")
    assert ring[0] == ring[-1] == problem.entry
    assert {"token-mgr", "auth-service"} <= set(ring)
    real = load().services
    needs = {name: [*real[name].depends_on, "auth-service"] for name in ring}
    assert all(need in needs[name] for name, need in pairwise(ring))


def test_name_that_is_none(broken):
    problems = broken("services.yaml", ("- name: puabo-nexus\n", "- name: Puabo_Nexus\n"))
    assert ("Puabo_Nexus", "name") in {(p.entry, p.field) for p in problems}
    assert any("lower-case letters, digits and hyphens" in p.message for p in problems)


def test_service_that_depends_on_itself_is_a_cycle(broken):
    before, line = in_service("pv-keys", "depends_on")
    (problem,) = broken("services.yaml", (before + line, before + "    depends_on: [pv-keys]"))
    assert "cycle pv-keys -> pv-keys" in problem.message


def test_two_cycles_are_both_printed(broken):
    keys, keys_line = in_service("key-service", "stores")
    core, core_line = in_service("streamcore", "stores")
    problems = broken(
        "services.yaml",
        (keys + keys_line, keys + "    depends_on: [token-mgr]\n" + keys_line),
        (core + core_line, core + "    depends_on: [streaming-service-v2]\n" + core_line),
    )
    messages = " ".join(p.message for p in problems)
    assert "token-mgr -> key-service -> token-mgr" in messages
    assert "streaming-service-v2 -> streamcore -> streaming-service-v2" in messages


def test_phase_before_that_of_a_dependency(broken):
    before, line = in_service("key-service", "startup_phase")
    problems = broken("services.yaml", (before + line, before + "    startup_phase: 4"))
    (problem,) = problems
    assert (problem.entry, problem.field) == ("token-mgr", "startup_phase")
    assert "2 is before phase 4 of key-service" in problem.message


def test_all_mistakes_of_all_files_come_at_once(broken):
    path = broken.directory / "operations.yaml"
    path.write_text(path.read_text().replace("rto_hours: 4", "rto_hours: soon"))
    path = broken.directory / "gateway.yaml"
    path.write_text(path.read_text().replace("service: glitch,", "service: glitsch,"))
    problems = broken(
        "services.yaml",
        ("port: 3004", "prot: 3004"),
        ("[auth-service, backend-api]", "[auth-service, back-api]"),
    )
    found = {(p.file, p.entry, p.field) for p in problems}
    assert found == {
        ("services.yaml", "session-mgr", "port"),
        ("services.yaml", "session-mgr", "prot"),
        ("services.yaml", "puabo-nexus", "depends_on"),
        ("gateway.yaml", "/api/errors/", "service"),
        ("operations.yaml", "disaster_recovery", "rto_hours"),
    }


def test_malformed_yaml_names_file_and_line(broken):
    problems = broken(
        "gateway.yaml", ("service: auth-service, auth: none,", "service: auth-service, auth: none},")
    )
    (problem,) = problems
    at = line_of("gateway.yaml", "service: auth-service, auth: none,")
    assert problem.file == "gateway.yaml"
    assert at <= problem.line <= at + 1
    assert "no valid YAML" in problem.message


def test_empty_and_missing_files(broken):
    (broken.directory / "gateway.yaml").unlink()
    (broken.directory / "modules.yaml").write_text("")
    problems = broken("operations.yaml", ("uptime_percent: 99.9", "uptime_percent: 999"))
    messages = {p.file: p.message for p in problems}
    assert "cannot be read" in messages["gateway.yaml"]
    assert "is empty" in messages["modules.yaml"]
    assert "999 is wrong" in messages["operations.yaml"]


# quantities and the command


@pytest.mark.parametrize(("text", "value"), [("500m", 500), ("2", 2000), ("0.5", 500), ("0.125", 125)])
def test_cpu_quantities(text, value):
    assert millicores(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("512Mi", 512 * 2**20), ("2Gi", 2**31), ("1G", 10**9), ("1024", 1024)]
)
def test_memory_quantities(text, value):
    assert memory_bytes(text) == value


@pytest.mark.parametrize("text", ["", "0", "0m", "-1", "1.5m", "m", "1 ", "1_000", "inf"])
def test_quantities_that_are_none(text):
    with pytest.raises(ValueError, match="write"):
        millicores(text)
    with pytest.raises(ValueError, match="write"):
        memory_bytes(text)


def test_command_prints_table_and_totals_within_120_columns(capsys, catalogue):
    assert command.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 120
    assert [line.split()[0] for line in lines[2:45]] == list(catalogue.services)
    assert any("102 cores, 204 GiB" in line and "does not fit" in line for line in lines)


def test_command_exits_1_with_the_list_of_errors(broken, capsys, monkeypatch):
    broken("gateway.yaml", ("service: glitch,", "service: glitsch,"))
    monkeypatch.setattr(command, "load", lambda: load(Path(broken.directory)))
    assert command.main([]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "gateway.yaml:" in captured.err
    assert "did you mean 'glitch'?" in captured.err


def test_command_exits_2_on_wrong_use(capsys):
    assert command.main(["--help-me"]) == 2
    assert "usage:" in capsys.readouterr().err


def test_command_sizes_an_environment_without_its_secrets(capsys, catalogue, monkeypatch):
    monkeypatch.setenv("NEXUS_AGE_IDENTITY", "/nonexistent/key")
    assert command.main(["lab"]) == 0
    lines = capsys.readouterr().out.splitlines()
    printed = {line.split()[0] for line in lines[2 : lines.index("")]}
    assert "auth-service" in printed
    assert printed <= set(catalogue.services)
    assert max(map(len, lines[: lines.index("") + 1])) <= 120


def test_command_names_the_nearest_environment(capsys):
    assert command.main(["producton"]) == 1
    assert 'did you mean "production"?' in capsys.readouterr().err
