"""Every mistake in the catalogue is named in full: file, line, entry, field, and the correction."""

from __future__ import annotations

from itertools import pairwise

import pytest

from nexus.catalogue import load
from tests.plan.catalogue_copy import (
    broken_,  # noqa: F401 - a fixture
    in_service,
    line_of,
)
from tests.plan.catalogue_mistake import ONE_MISTAKE
from tests.plan.catalogue_renamed import RENAMED


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


@pytest.mark.parametrize("mistake", RENAMED)
def test_renamed_field_is_named_with_the_right_one(broken, mistake):
    file, edit, (entry, field, words) = RENAMED[mistake]
    line = line_of(file, edit[0].strip())
    unknown, missing = sorted(broken(file, edit), key=lambda problem: problem.message == "is missing")
    assert (unknown.file, unknown.line, unknown.entry, unknown.field) == (file, line, entry, field)
    assert words in unknown.message
    assert missing.field.rpartition(".")[2] in words


def test_a_field_without_a_name_is_shown(broken):
    problems = broken("operations.yaml", ("\nauth_policy:", '\n"":'))
    assert [problem.entry for problem in problems if "is not a field here" in problem.message] == ["''"]


def test_a_long_value_does_not_fill_the_screen(broken):
    problems = broken("operations.yaml", ("- {phase: 4,", f"- {{phase: {'x' * 70_000},"))
    assert len(problems) > 10  # all services of that phase
    assert max(len(str(problem)) for problem in problems) < 300


def test_duplicate_name_says_where_the_first_is(broken):
    problems = broken("services.yaml", ("- name: scheduler\n", "- name: ledger-mgr\n"))
    first = line_of("services.yaml", "- name: ledger-mgr")
    taken = [p for p in problems if p.field == "name"]
    assert [p.message for p in taken] == [f"'ledger-mgr' is already used in line {first}; choose another"]
    # entries that need the missing name are reported too
    assert any("'scheduler' is not a service" in p.message for p in problems)


def test_cycle_is_printed(broken):
    before, line = in_service("token-mgr", "depends_on")
    problems = broken("services.yaml", (before + line, before + "    depends_on: [key-service, auth-service]"))
    (problem,) = [p for p in problems if "cycle" in p.message]
    ring = problem.message.removeprefix("cycle ").split(";")[0].split(" -> ")
    assert ring[0] == ring[-1] == problem.entry
    assert {"token-mgr", "auth-service"} <= set(ring)
    real = load().services
    needs = {name: [*real[name].depends_on, "auth-service"] for name in ring}
    assert all(need in needs[name] for name, need in pairwise(ring))


def test_invalid_name(broken):
    problems = broken("services.yaml", ("- name: puabo-nexus\n", "- name: Puabo_Nexus\n"))
    assert ("Puabo_Nexus", "name") in {(p.entry, p.field) for p in problems}
    assert any("lowercase letters, digits and hyphens" in p.message for p in problems)


@pytest.mark.parametrize("name", ["router", "postgres", "nexus-admin"])
def test_name_that_the_platform_uses(broken, name):
    problems = broken("services.yaml", ("- name: puabo-nexus\n", f"- name: {name}\n"))
    (problem,) = [p for p in problems if p.file == "services.yaml"]
    assert (problem.entry, problem.field) == (name, "name")
    assert "the platform itself uses this name" in problem.message


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
        "services.yaml", ("port: 3004", "prot: 3004"), ("[auth-service, backend-api]", "[auth-service, back-api]")
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
    problems = broken("gateway.yaml", ("service: auth-service, auth: none,", "service: auth-service, auth: none},"))
    (problem,) = problems
    at = line_of("gateway.yaml", "service: auth-service, auth: none,")
    assert problem.file == "gateway.yaml"
    assert at <= problem.line <= at + 1
    assert "not valid YAML" in problem.message


def test_names_in_an_unreadable_file_are_not_called_unknown(broken):
    problems = broken("services.yaml", ("    port: 3062\n", "    port: 3062\n    port: 3063\n"))
    assert {problem.file for problem in problems} == {"services.yaml"}
    problems = broken("services.yaml", ("services:", "services: ]"))
    assert [(problem.file, problem.entry) for problem in problems] == [("services.yaml", "services")]


def test_empty_and_missing_files(broken):
    (broken.directory / "gateway.yaml").unlink()
    (broken.directory / "modules.yaml").write_text("")
    problems = broken("operations.yaml", ("uptime_percent: 99.9", "uptime_percent: 999"))
    messages = {p.file: p.message for p in problems}
    assert "cannot be read" in messages["gateway.yaml"]
    assert "is empty" in messages["modules.yaml"]
    assert "999 is wrong" in messages["operations.yaml"]
