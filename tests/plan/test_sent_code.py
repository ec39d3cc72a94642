"""Host-side code of every role finds what it imports on a host, where there is nothing but what is sent."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from roles import plans
from roles.kit import wire
from roles.kit.environment import Environment, Host, Traits
from roles.kit.model import State
from roles.kit.secrets import Secrets
from roles.kit.settings import Settings, defaults

PROJECT = Path(__file__).parents[2]
AGENT = "roles.kit.agent."
ASKING = {f"{AGENT}{name}" for name in wire.ASKING}
CHANGING = {f"{AGENT}{name}" for name in wire.CHANGING}


def states(directory: Path) -> Iterator[State]:
    """Every state of every role, planned for one host that is in all groups."""
    groups = frozenset(group for names in plans.GROUPS.values() for group in names)
    key = directory / "mongodb.asc"
    key.write_text("the vendor's")
    setting = Settings({**defaults(), "service_cpu_scale": 0, "mongodb_key_file": str(key)})
    traits = Traits(4, 512 << 30, 1500, 0, "x86_64", {"memory": False, "cpu": False})
    host = Host("box1", "10.9.0.1", groups, setting, traits)
    env = Environment("test", (host,), setting, Secrets(directory / "s.age", directory / "age.key", generate=True))
    env = env.seen([host], dict.fromkeys([*env.catalogue.services, "router"], "sha256:" + "0" * 64))
    for role in plans.roles_of(host):
        yield from plans.plan_of(role)(env, host).states


def imported(source: Path, applied: bool) -> set[str]:
    """The project's modules that a file imports, and these in turn; what functions import only where it is applied."""
    found: set[str] = set()
    waiting = [source]
    while waiting:
        tree = ast.parse(waiting.pop().read_text())
        for node in ast.walk(tree) if applied else tree.body:
            name = str(node.module) if isinstance(node, ast.ImportFrom) else ""
            if isinstance(node, ast.ImportFrom) and f"{name}." == AGENT:
                name = AGENT + node.names[0].name
            if name.startswith("roles.") and name not in found:
                found.add(name)
                waiting += [] if name.startswith(AGENT) else [PROJECT.joinpath(*name.split(".")).with_suffix(".py")]
    return found


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> list[State]:
    return list(states(tmp_path_factory.mktemp("secrets")))


def test_a_probe_is_sent_what_it_imports_and_no_more(planned: list[State]) -> None:
    assert len(planned) > len(plans.GROUPS) / 2
    for state in planned:
        needed = imported(state.source, applied=False)
        assert {name for name in needed if name.startswith(AGENT)} <= ASKING, state.name
        assert needed - ASKING == set(state.libraries), state.name


def test_a_step_is_sent_what_it_imports_and_no_more(planned: list[State]) -> None:
    for state in planned:
        needed = imported(state.source, applied=True)
        assert {name for name in needed if name.startswith(AGENT)} <= CHANGING, state.name
        assert needed - CHANGING == {*state.libraries, *state.apply_libraries}, state.name


BEGIN = """
import importlib, json, sys
from roles.kit.agent import loading
for name, code in json.load(sys.stdin):
    try:
        functions = loading.load(name, code["source"], code["libraries"])
        for library, _ in code["libraries"]:
            importlib.import_module(library)
        functions["probe"]
    except Exception as error:
        print(f"{name}: {type(error).__name__}: {error}")
"""


def test_what_is_sent_begins_as_it_is_sent(planned: list[State]) -> None:
    """Not as it lies here: what only a type checker reads is left out of it."""
    sent = json.dumps([(state.name, state.code(apply=True)) for state in planned])
    process = [sys.executable, "-c", BEGIN]
    done = subprocess.run(process, input=sent, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
