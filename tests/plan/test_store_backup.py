"""A role defines backup and restore of its own data: a toy store is saved and restored; no other code knows it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nexus import project
from nexus.environment.environment import Environment
from nexus.error import OperatorError
from nexus.plan.desired import Desired
from nexus.plan.sent import code
from nexus.run.role import Role, Roles
from roles.backup import plan as backup
from roles.backup.acts import PROGRAM, START
from roles.backup.host.paths import CONFIG, LIBRARY
from roles.backup.store import stores
from roles.postgresql import backup as postgresql
from roles.postgresql.restore import FORGET
from roles.redis import backup as redis
from roles.table import ROLES
from tests.plan.environments import environment
from tests.plan.store_environment import text
from tests.plan.test_sent_code import CHANGING, SENT, imported, libraries

GROUPS = {"shelf1": "shelf", "shelf2": "shelf", "ops1": "ops storage"}
TOYS = Roles("toys", {"shelf": Role(("shelf",)), "lamp": Role(("shelf",)), "backup": Role(("shelf", "ops"))})
CONTROLLER = """
from roles.backup.store import Store

BACKUP = Store(
    config=lambda env, host: {"board": host.name},
    title="Shelf",
    takes_writes=lambda run, name: name == "shelf2",
    by_default=True,
)
"""
HOST = """
from roles.backup.host.kind import Kind

KIND = Kind(
    is_saver=lambda config: True,
    save=lambda config, vault, type_: {},
    prefixes=("shelf/",),
    load=lambda config, path: "books",
    acts={"dust": ((), lambda config: print("dusted", config["shelf"]["board"]))},
)
"""
DUST = """
from roles.backup.host import kind, restore
restore.acts_of(kind.kinds())["dust"][1]({"shelf": {"board": 1}})
"""


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Roles:
    """Roles of another package; one has data."""
    files = {"shelf/backup.py": CONTROLLER, "shelf/host/backup.py": HOST, "lamp/plan.py": "raise ValueError"}
    for name, content in {"__init__.py": "", "shelf/__init__.py": "", "lamp/__init__.py": "", **files}.items():
        path = tmp_path / "toys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "toys"]:
        monkeypatch.delitem(sys.modules, name)

    usual = project.source

    def source(module: str) -> Path:
        own = module.startswith("toys.")
        return tmp_path.joinpath(*module.split(".")).with_suffix(".py") if own else usual(module)

    monkeypatch.setattr(project, "source", source)
    return TOYS


def run_of(env: Environment, roles: Roles) -> Any:
    """The parts of a run that a runbook uses, with all hosts reached."""
    return SimpleNamespace(
        environment=env,
        all_roles=roles,
        hosts=SimpleNamespace(
            reaches=lambda name: True, members=lambda role: [host.name for host in env.hosts if role in roles.of(host)]
        ),
    )


def acts(module: str, env: Environment, roles: Roles, *words: Any) -> list[str]:
    planned = import_module(f"runbooks.restore.{module}").plan(run_of(env, roles), *words)
    return [f"{act.host}: {act.what}" for act in planned]


def install(planned: Desired, directory: Path) -> None:
    """Install the program as on a host."""
    for each in planned.files:
        if each.path.startswith(f"{LIBRARY}/"):
            target = directory / each.path.removeprefix(f"{LIBRARY}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(each.data)


def test_roles_with_a_backup_are_those_with_its_file(toys: Roles) -> None:
    assert toys.having("backup") == list(stores(toys)) == ["shelf"]
    assert ROLES.having("backup") == ["postgresql", "redis", "rabbitmq", "mongodb"]


def test_a_store_is_part_of_the_programs_configuration(toys: Roles, tmp_path: Path) -> None:
    env = environment(tmp_path, GROUPS)
    found = json.loads(text(backup.plan(env, env.host("shelf1"), toys), CONFIG))
    assert found["kinds"] == ["shelf"]
    assert found["shelf"] == {"board": "shelf1"}
    found = json.loads(text(backup.plan(env, env.host("ops1"), toys), CONFIG))
    assert found["kinds"] == ["environment"]


def test_a_store_is_part_of_the_program(toys: Roles, tmp_path: Path) -> None:
    env = environment(tmp_path, GROUPS)
    planned = backup.plan(env, env.host("shelf1"), toys)
    install(planned, tmp_path / "host")
    done = subprocess.run(
        [sys.executable, "-S", "-c", DUST], cwd=tmp_path / "host", capture_output=True, text=True, check=False
    )
    assert done.stdout == "dusted 1\n", done.stderr
    assert [unit.name for unit in planned.units] == ["nexus-cos-backup.timer"]  # no host could make a restore test


def test_runbooks_offer_a_store(toys: Roles, tmp_path: Path) -> None:
    env = environment(tmp_path, GROUPS)
    saved = ["shelf2: Save shelf from shelf2", "ops1: Save environment from ops1"]
    copied = "shelf2: Copy all buckets to shelf2"
    assert acts("backup", env, toys, "", "") == [*saved, copied]
    assert acts("backup", env, toys, "copy", "") == [copied]
    assert acts("backup", env, toys, "shelf", "") == saved[:1]
    moment = "2026-01-02T03:04:05Z"
    restored = ["shelf2: Save shelf as it is now", f"shelf2: Restore shelf from its last backup before {moment}"]
    for store in ("shelf", "all", ""):
        assert acts("restore", env, toys, "", store, moment, True) == restored


def test_runbooks_refuse_what_a_store_does_not_support(toys: Roles, tmp_path: Path) -> None:
    env = environment(tmp_path, GROUPS)
    with pytest.raises(OperatorError, match="shelf is restored into the running server"):
        acts("restore", env, toys, "", "shelf", "", False)
    with pytest.raises(OperatorError, match="store=shelve: test has no such store"):
        acts("restore", env, toys, "", "shelve", "", True)
    with pytest.raises(OperatorError, match="type=full: no store has backup types"):
        acts("backup", env, toys, "", "full")
    with pytest.raises(OperatorError, match="no store of this platform has a restore test"):
        acts("restore_test", env, toys, "")
    with pytest.raises(OperatorError, match="store=copy: no host of this run keeps a copy of the buckets of test"):
        acts("backup", environment(tmp_path / "one", GROUPS, backup_copy_host="none"), toys, "copy", "")


def test_the_program_consists_of_its_modules_imports(tmp_path: Path) -> None:
    """It has no other files."""
    env = environment(tmp_path, {"data1": "postgresql", "ops1": "ops storage"})
    files = [each.path for each in backup.plan(env, env.host("ops1")).files if each.path.startswith(f"{LIBRARY}/")]
    planned = {path.removeprefix(f"{LIBRARY}/").removesuffix(".py").replace("/", ".") for path in files}
    begin = {f"roles.backup.host.{name}" for name in ("main", "restore", "environment", "copy")}
    begin |= {f"roles.{name}.host.backup" for name in stores(ROLES)}
    needed = begin.union(*(imported(project.source(name), applied=True, present=frozenset()) for name in begin))
    assert planned - {"roles.backup.host.__init__", "roles.backup.host.modules"} == needed


@pytest.mark.parametrize("source", [postgresql.HOST / "is_primary.py", redis.SOURCE, PROGRAM, START, FORGET])
def test_runbooks_send_every_import(source: Path) -> None:
    """Its modules are host-side code that a step or a question can start with."""
    assert source in SENT
    assert imported(source, applied=True) - CHANGING == libraries(code(source, apply=True))
