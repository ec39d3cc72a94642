"""What `--data help=true` tells of each deploy, without an inventory being read or a host being asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from bad_input import Project

from roles.kit import settings
from roles.kit.manual import asked, comments, manual

DEPLOYS = sorted(Path("deploys").glob("*.py"))
WORDS = ("runbook", "daily", "secret")  # roles whose settings are words for deploys alone
ALSO = ("build", "canary", "release", "item", "plan", "apply", "yes", "prune_data")


@pytest.mark.parametrize("path", DEPLOYS, ids=lambda path: path.stem)
def test_every_deploy_says_what_it_does(path: Path) -> None:
    first, empty, *_ = manual(path).splitlines()
    assert len(first) > 30
    assert empty == ""


def test_every_word_is_named_by_a_deploy_that_takes_it() -> None:
    taken = {line.split()[0] for path in DEPLOYS for line in manual(path).splitlines() if line.startswith("  ")}
    words = {name for path in settings.files() if path.parent.name in WORDS for name in names(path)}
    assert {*words, *ALSO} - taken == set()


def names(path: Path) -> list[str]:
    return [line.split(":")[0] for line in path.read_text().splitlines() if line[:1].isalpha() and ": " in line]


def test_a_setting_is_told_with_its_comments_and_its_default() -> None:
    notes = comments()
    assert notes["service"] == "one service of the catalogue"
    assert notes["since"].startswith("How far back: 30s")
    assert "  lines    logs: at most so many, the newest (default: 200)" in manual(Path("deploys/logs.py"))


def test_only_help_is_help() -> None:
    assert asked(["service=x", "help=true"])
    assert not asked(["service=help", "help=false"])


@pytest.mark.parametrize("words", [("inventory",), ("inventory/nowhere.py",), ("@local",)])
def test_help_needs_no_host_and_no_inventory(project: Project, words: tuple[str, ...]) -> None:
    outcome = project.run(*words, "deploys/release.py", "--data", "help=true")
    assert outcome.status == 0, outcome.text
    assert "canary" in outcome.text
    assert project.hosts.connections == 0
