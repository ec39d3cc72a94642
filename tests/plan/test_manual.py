"""What `--data help=true` prints of each deploy, without reading an inventory or asking a host."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from nexus.cli.help import asked, comments, manual, named
from nexus.environment import deploy_declaration, settings
from nexus.run.arguments import declared
from roles.table import ROLES
from tests.plan.project_copy import Project

DEPLOYS = sorted(Path("deploys").glob("*.py"))


@pytest.mark.parametrize("path", DEPLOYS, ids=lambda path: path.stem)
def test_help_says_what_every_deploy_does(path: Path) -> None:
    first, empty, *_ = manual(path, ROLES).splitlines()
    assert len(first) > 30
    assert empty == ""


@pytest.mark.parametrize("path", DEPLOYS, ids=lambda path: path.stem)
def test_every_argument_in_a_docstring_exists(path: Path) -> None:
    words = named(ast.get_docstring(ast.parse(path.read_text())) or "")
    known = {*declared(path).arguments, *deploy_declaration.EVERYWHERE, *settings.defaults()}
    assert [word for word in words if word not in known] == []


@pytest.mark.parametrize("path", DEPLOYS, ids=lambda path: path.stem)
def test_help_explains_every_argument(path: Path) -> None:
    lines = [line for line in manual(path, ROLES).splitlines() if line.startswith("  ")]
    for name, kind in declared(path).arguments.items():
        assert [line for line in lines if line.startswith(f"  {name}={kind.shown(ROLES)}") and kind.meaning in line]


def test_arguments_are_declared_at_all() -> None:
    words = {name for path in DEPLOYS for name in declared(path).arguments}
    assert words >= {"to", "host", "service", "services", "store", "since", "force", "format", "replace", "type"}
    assert words >= {"build", "canary", "item", "yes", "prune_data", "secrets", "retire", "replicas", "lines", "which"}


def test_help_shows_form_and_default_of_an_argument() -> None:
    text = manual(Path("deploys/logs.py"), ROLES)
    assert "  lines=NUMBER             the most lines to show, the newest ones (default: 200)" in text
    assert "  without=TEXT" in text
    assert "print this instead of a run" in text


def test_stores_are_those_whose_roles_bring_a_failover() -> None:
    assert "  store=postgresql|redis  the store whose primary moves" in manual(Path("deploys/failover.py"), ROLES)
    assert "  store=postgresql  the store of the replica" in manual(Path("deploys/rebuild_replica.py"), ROLES)


def test_help_shows_comments_and_default_of_a_setting() -> None:
    assert comments()["history_runs"] == "number of runs to show if no time is given"
    text = manual(Path("deploys/history.py"), ROLES)
    assert "  history_runs  number of runs to show if no time is given (default: 20)" in text


def test_only_help_is_help() -> None:
    assert asked(["service=x", "help=true"])
    assert not asked(["service=help", "help=false"])


@pytest.mark.parametrize("words", [("inventory",), ("inventory/nowhere.py",), ("@local",)])
def test_help_needs_no_host_and_no_inventory(project: Project, words: tuple[str, ...]) -> None:
    outcome = project.run(*words, "deploys/release.py", "--data", "help=true")
    assert outcome.status == 0, outcome.text
    assert "canary=NUMBER" in outcome.text
    assert project.hosts.connections == 0


def test_every_setting_has_a_comment() -> None:
    known = comments()
    assert [name for name in settings.defaults() if not known.get(name)] == []
