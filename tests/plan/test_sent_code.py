"""Host-side code of every role finds its imports on a host, which has only the modules that are sent."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import pytest

from nexus import agent, project
from nexus.environment.environment import Environment, Host, Traits
from nexus.environment.settings import Settings, defaults
from nexus.plan.desired import State
from nexus.plan.sent import code
from nexus.run import role_questions
from nexus.secrets.store import Secrets
from roles.table import ROLES

PROJECT = Path(__file__).parents[2]
FILES = ("status", "daily")
ANSWERED = [(role, file) for file in FILES for role in ROLES if project.source(f"roles.{role}.host.{file}").is_file()]
HOST_SIDE = [path for folder in ("nexus", "roles", "runbooks") for path in (PROJECT / folder).glob("*/host/*.py")]
HOST_SIDE += (PROJECT / "nexus/agent/kinds").glob("*.py")
# Probes, states and actions; other modules there are imported by these, or by an installed program.
SENT_FUNCTION = re.compile(
    r"^def (?:probe|apply|step)\(|^def [a-z]\w*\(context: [^)]*\) -> (?:None|Item):", re.MULTILINE
)
SENT = [path for path in sorted(HOST_SIDE) if SENT_FUNCTION.search(path.read_text())]
AGENT = "nexus.agent."
ASKING = {f"{AGENT}{name}" for name in agent.ASKING}
CHANGING = {f"{AGENT}{name}" for name in agent.CHANGING}


def states(directory: Path) -> Iterator[State]:
    """Every state of every role, planned for one host in all groups."""
    groups = frozenset(group for group in ROLES.groups)
    key = directory / "mongodb.asc"
    key.write_text("the vendor's")
    setting = Settings({**defaults(), "service_cpu_scale": 0, "mongodb_key_file": str(key)})
    traits = Traits(4, 512 << 30, 1500, 0, "x86_64", {"memory": False, "cpu": False})
    host = Host("box1", "10.9.0.1", groups, setting, traits)
    env = Environment("test", (host,), setting, Secrets(directory / "s.age", directory / "age.key", generate=True))
    env = env.with_facts([host], dict.fromkeys([*env.catalogue.services, "router"], "sha256:" + "0" * 64))
    for role in ROLES.of(host):
        yield from ROLES.plan(role)(env, host).states


def imported(source: Path, applied: bool, present: Set[str] = ASKING | CHANGING) -> set[str]:
    """The project's modules that a file imports, recursively; imports within functions only where they apply.

    Modules in `present` are not searched.
    """
    found: set[str] = set()
    waiting = [source]
    while waiting:
        tree = ast.parse(waiting.pop().read_text())
        for node in ast.walk(tree) if applied else tree.body:
            for name in names_in(node):
                if name not in found and project.source(name).is_file():
                    found.add(name)
                    waiting += [] if name in present else [project.source(name)]
    return found


def names_in(node: ast.AST) -> list[str]:
    """Every module that an import may refer to."""
    if isinstance(node, ast.ImportFrom):
        return [str(node.module), *(f"{node.module}.{each.name}" for each in node.names)]
    return [each.name for each in node.names] if isinstance(node, ast.Import) else []


def libraries(sent: dict[str, Any]) -> set[str]:
    """Modules that are sent with a file, each once."""
    names = [name for name, _ in sent["libraries"]]
    assert len(names) == len(set(names))
    return set(names)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> list[State]:
    return list(states(tmp_path_factory.mktemp("secrets")))


def test_a_probe_is_sent_what_it_imports_and_no_more(planned: list[State]) -> None:
    assert len(planned) > len(ROLES) / 2
    for state in planned:
        needed = imported(state.source, applied=False)
        assert needed & (ASKING | CHANGING) <= ASKING, state.name
        assert needed - ASKING == libraries(state.code()), state.name


def test_a_step_is_sent_what_it_imports_and_no_more(planned: list[State]) -> None:
    for state in planned:
        needed = imported(state.source, applied=True)
        assert needed & (ASKING | CHANGING) <= CHANGING, state.name
        assert needed - CHANGING == libraries(state.code(apply=True)), state.name


@pytest.mark.parametrize("source", SENT, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_probe_and_step_is_sent_with_its_imports(source: Path) -> None:
    assert imported(source, applied=False) - ASKING == libraries(code(source))
    assert imported(source, applied=True) - CHANGING == libraries(code(source, apply=True))


@pytest.mark.parametrize(("role", "file"), ANSWERED, ids=lambda name: str(name))
def test_a_host_gets_the_modules_of_a_roles_answers(role: str, file: str) -> None:
    module = f"roles.{role}.host.{file}"
    needed = imported(project.source(module), applied=True)
    assert (needed | {module}) - ASKING == libraries(code(role_questions.SOURCE, named=[module]))


def test_some_roles_answer_for_the_status_and_the_daily_checks() -> None:
    assert {file for _, file in ANSWERED} == set(FILES)
    assert imported(role_questions.SOURCE, applied=True) <= ASKING
    assert imported(project.source("runbooks.daily.host.record"), applied=True) <= ASKING
    assert len(SENT) > len(ROLES)


BEGIN = """
import importlib, json, sys
from nexus.agent import importer
for name, code in json.load(sys.stdin):
    try:
        importer.load(name, code["source"], code["libraries"])
        for library, _ in code["libraries"]:
            importlib.import_module(library)
    except Exception as error:
        print(f"{name}: {type(error).__name__}: {error}")
"""


def test_sent_code_starts_as_it_is_sent(planned: list[State]) -> None:
    """The sent code differs from the file: imports for type checkers are left out."""
    codes = [(state.name, state.code(apply=True)) for state in planned]
    codes += [(str(path), code(path, apply=True)) for path in SENT]
    for role, file in ANSWERED:
        codes.append((f"{role} {file}", code(role_questions.SOURCE, named=[f"roles.{role}.host.{file}"])))
    sent = json.dumps(codes)
    process = [sys.executable, "-c", BEGIN]
    done = subprocess.run(process, input=sent, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
