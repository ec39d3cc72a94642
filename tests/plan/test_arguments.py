"""Arguments of deploys: each deploy declares them, only the command line sets them, and they are not settings."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nexus.cli import deploy_arguments
from nexus.environment import deploy_declaration, settings
from nexus.error import OperatorError
from nexus.run import arguments as module
from nexus.run import run
from nexus.run.argument_kinds import Argument
from nexus.run.arguments import Choice, Flag, Host, Number, Service, Services, Since, Word, arguments, declared
from tests.plan.environments import environment
from tests.plan.project_copy import Project, refused

DEPLOYS = sorted(Path("deploys").glob("*.py"))
READ_ONLY = {"drift", "handoff", "history", "report", "service_config", "status", "unlock"}


def deploy(directory: Path, text: str) -> Path:
    path = directory / "x.py"
    path.write_text(text)
    return path


# What a deploy declares


def test_a_declaration_is_read_without_running_the_deploy(tmp_path: Path) -> None:
    path = deploy(
        tmp_path,
        'import nothing\ngiven = arguments(read_only=True, to=Host("where"), lines=Number("most", 200))\n1 / 0\n',
    )
    assert declared(path) == module.Declaration({"to": Host("where"), "lines": Number("most", 200)}, True)
    assert deploy_declaration.names(path) == ["to", "lines"]


@pytest.mark.parametrize(
    "call", ['arguments(to=Nothing("x"))', "arguments(to=1)", "arguments(to=Word(name))", "arguments(**more)"]
)
def test_an_invalid_declaration_is_refused_with_its_line(tmp_path: Path, call: str) -> None:
    with pytest.raises(OperatorError, match=r"x\.py:2: arguments are declared as NAME=KIND"):
        declared(deploy(tmp_path, f"\n{call}\n"))


def test_a_second_declaration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"x\.py:2: a deploy declares its arguments once"):
        declared(deploy(tmp_path, "arguments()\narguments()\n"))


def test_no_argument_is_a_setting_or_one_of_every_run() -> None:
    assert DEPLOYS
    assert tuple(module.EVERY_RUN) == deploy_declaration.EVERYWHERE
    for path in DEPLOYS:
        names = set(declared(path).arguments)
        assert names & {*settings.defaults(), *deploy_declaration.EVERYWHERE} == set(), path


def test_deploys_that_only_read_say_so_themselves() -> None:
    assert {path.stem for path in DEPLOYS if declared(path).read_only} == READ_ONLY


@pytest.mark.parametrize(
    ("words", "reads"),
    [
        (["deploys/status.py"], True),
        (["deploys/status.py", "deploys/history.py"], True),
        (["deploys/status.py", "deploys/full.py"], False),
        (["deploys/full.py"], False),
        (["fact", "server.Hostname"], False),
        (["deploys/nowhere.py"], False),
    ],
)
def test_a_run_reads_only_where_all_its_deploys_do(words: list[str], reads: bool) -> None:
    context: Any = SimpleNamespace(params={"operations": words})
    assert deploy_arguments.looks(context) is reads


# Values


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Word("x"), "2.10", "2.10"),
        (Flag("x"), "True", True),
        (Flag("x"), "no", False),
        (Number("x"), "50", 50),
        (Choice("x", "text", among=("text", "json")), "json", "json"),
        (Choice("x", among=("full", "diff")), "", ""),
        (Host("x"), "app2", "app2"),
        (Host("x"), "", ""),
        (Service("x"), "auth-service", "auth-service"),
        (Services("x"), "auth-service, user-auth", ["user-auth", "auth-service"]),
        (Services("x"), "", []),
        (Since("x"), "15m", "15m"),
    ],
)
def test_each_kind_reads_its_text(tmp_path: Path, kind: Argument, text: str, value: Any) -> None:
    assert kind.read("name", text, lambda: environment(tmp_path)) == value


@pytest.mark.parametrize(
    ("kind", "text", "complaint"),
    [
        (Flag("x"), "maybe", "name=maybe is neither true nor false"),
        (Number("x", 200), "many", "name=many is not a whole number such as 200"),
        (Choice("x", "read", among=("read", "full")), "all", "name=all is unknown: write read or full"),
        (Host("x"), "ap1", 'name=ap1: test has no host "ap1"; did you mean "app1"'),
        (Service("x"), "auth-servce", 'name=auth-servce: test has no such service; did you mean "auth-service"'),
        (Services("x"), "user-auth,nobody", "name=nobody: test has no such service"),
        (Services("x"), "auth-servce", 'no such service; did you mean "auth-service"'),
        (Since("x"), "whenever", "name=whenever is not a time"),
    ],
)
def test_each_kind_refuses_invalid_text(tmp_path: Path, kind: Argument, text: str, complaint: str) -> None:
    with pytest.raises(OperatorError, match=complaint):
        kind.read("name", text, lambda: environment(tmp_path))


def test_all_services_are_those_of_the_environment(tmp_path: Path) -> None:
    env = environment(tmp_path)
    assert Services("x").read("name", "all", lambda: env) == [*env.catalogue.services]


def test_an_included_deploy_uses_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_current", SimpleNamespace(given={"to": "app1"}, environment=environment(tmp_path)))
    found = arguments(to=Host("where"), force=Flag("anyway"), lines=Number("most", 200))
    assert (found.to, found.force, found.lines) == ("app1", False, 200)


def test_a_run_of_this_machine_alone_has_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_current", None)
    run.start(run.LocalRun({"volumes": "true", "environment": "test"}))
    found = arguments(volumes=Flag("delete"), environment=Word("the name"), lines=Number("most", 200))
    assert (found.volumes, found.environment, found.lines) == (True, "test", 200)
    assert run.begun() is None
    with pytest.raises(OperatorError, match="this deploy needs an environment"):
        arguments(to=Host("where"))


def test_arguments_outside_of_a_run_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_current", None)
    with pytest.raises(OperatorError, match="this deploy needs an environment"):
        arguments(volumes=Flag("delete"))


def test_arguments_are_removed_from_the_data_of_hosts() -> None:
    words = ["to=2.10", "services=auth-service", "nginx_hsts_seconds=1", "forse=true"]
    context: Any = SimpleNamespace(params={"operations": ["deploys/rollback.py"], "data": words})
    overrides = {"to": 2.1, "services": "auth-service", "nginx_hsts_seconds": 1, "forse": True}
    found = deploy_arguments.taken(context, overrides, deploy_arguments.offered(context))
    assert found == {"to": "2.10", "services": "auth-service"}
    assert overrides == {"nginx_hsts_seconds": 1, "forse": True}


# The command line

FAILOVER = ("inventory", "deploys/failover.py", "-y")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "force = True",
            '"force" is an argument of deploys/failover.py, deploys/rebuild_replica.py, deploys/restart.py, '
            "deploys/rotate_secrets.py, not a setting: give it with --data force=true",
        ),
        ("canary = 10", "is an argument of deploys/release.py, not a setting: give it with --data canary=10"),
        ("without = 'app1'", '"without" is an argument of every run, not a setting: give it with --data without=app1'),
        ("prune_data = True", '"prune_data" is an argument of deploys/data.py, deploys/full.py, not a setting'),
    ],
)
def test_an_argument_in_group_data_is_refused(project: Project, line: str, said: str) -> None:
    project.append("group_data/lab.py", f"{line}\n")
    refused(project, project.run(*FAILOVER), "group_data/lab.py: ", said)


def test_an_argument_as_data_of_a_host_is_refused(project: Project) -> None:
    project.host("app1")["force"] = True
    project.write_inventory()
    said = 'inventory/lab.py, host app1: "force" is an argument of deploys/failover.py'
    refused(project, project.run(*FAILOVER), said)


WORDS = {
    "forse=true": '--data: unknown setting "forse"; did you mean "force"?',
    "postgresql_prot=1": '--data: unknown setting "postgresql_prot"; did you mean "postgresql_port"?',
    "canary=10": '--data: "canary" is an argument of deploys/release.py, and this run starts no deploy that takes it',
    "force=maybe": "force=maybe is neither true nor false",
    "to=data9": 'to=data9: lab has no host "data9"; did you mean "data',
}


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_the_deploy_does_not_take_is_refused(project: Project, word: str) -> None:
    refused(project, project.run(*FAILOVER, "--data", word), WORDS[word])


def test_another_kind_of_functional_checks_is_refused(project: Project) -> None:
    outcome = project.run("inventory", "deploys/verify.py", "-y", "--data", "functional=all")
    refused(project, outcome, "functional=all is unknown: write read or full")


def test_arguments_of_several_deploys_go_together(project: Project) -> None:
    words = ("inventory", "deploys/failover.py", "deploys/release.py", "-y")
    outcome = project.run(*words, "--data", "force=true", "--data", "canary=ten")
    refused(project, outcome, "canary=ten is not a whole number")


def test_with_its_arguments_a_deploy_asks_the_hosts(project: Project) -> None:
    outcome = project.run(*FAILOVER, "--data", "to=data1", "--data", "force=true")
    assert project.hosts.connections == 8, outcome.text
    assert "Traceback" not in outcome.text


def test_a_deploy_with_invalid_python_is_refused(project: Project) -> None:
    line = project.append("deploys/failover.py", "failover(\n")
    refused(project, project.run(*FAILOVER), f"deploys/failover.py:{line}: this is not valid Python")
