"""Commands in documents are such as this version takes; tests/scenarios/test_documented.py runs them on hosts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nexus.environment import settings
from nexus.run.arguments import EVERY_RUN, declared
from tests import documented

DEPLOYS, COMMANDS = documented.deploys(), documented.commands()
TARGETS = set(re.findall(r"^([a-z][a-z-]*|\.venv/\w+):", (documented.ROOT / "Makefile").read_text(), re.MULTILINE))


def test_documents_name_commands() -> None:
    assert len(DEPLOYS) > 30
    assert len(COMMANDS) - len(DEPLOYS) > 10


@pytest.mark.parametrize("command", DEPLOYS)
def test_deploy_and_its_arguments_exist(command: str) -> None:
    words = command.split()
    path = Path(next(word for word in words if word.endswith(".py") and "deploys/" in word))
    assert path.is_file(), DEPLOYS[command]
    given = [words[number + 1].partition("=")[0] for number, word in enumerate(words) if word == "--data"]
    known = {*declared(path).arguments, *EVERY_RUN, *settings.defaults()}
    assert [name for name in given if name not in known] == [], DEPLOYS[command]


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_make_target_exists(command: str) -> None:
    targets = [word for word in command.split()[1:] if "=" not in word and not word.startswith(("-", "NEXUS"))]
    assert [target for target in targets if target not in TARGETS] == [], COMMANDS[command]
