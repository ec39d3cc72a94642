"""`make lint` finds each kind of forbidden import, which is added to a copy on purpose."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("nexus", "roles", "runbooks", "tests/contract.py", "pyproject.toml")
VIOLATIONS = {
    "a role in the library": ("nexus/run/run.py", "from roles.table import ROLES", "knows no role"),
    "a runbook in a role": ("roles/redis/plan.py", "from runbooks.status import status", "know no runbook"),
    "an import of an upper layer": ("nexus/plan/diff.py", "from nexus.run import journal", "Rooms of the library"),
    "a late cycle": ("roles/redis/instance.py", "def late():\n    import roles.sentinel.plan", "No cycles"),
    "a cycle for types": ("nexus/run/journal.py", "if 0:\n    from nexus.run.run import Run", "No cycles"),
    "a package that hosts lack": ("roles/redis/host/client.py", "import yaml", "Hosts have"),
    "the controller's code on a host": ("nexus/agent/lib.py", "from nexus.plan import desired", "Hosts have"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / "roles").is_dir():
        pytest.skip("the library is alone here")
    place = tmp_path_factory.mktemp("copy")
    for name in ROOMS:
        (place / name).parent.mkdir(exist_ok=True)
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, place / name)
    return place


def lint(place: Path) -> tuple[int, str]:
    command: list[str | Path] = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(place)}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def test_all_contracts_are_kept(copy: Path) -> None:
    status, said = lint(copy)
    assert status == 0, said
    assert " 0 broken" in said


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_breaks_its_contract(copy: Path, name: str) -> None:
    path, line, contract = VIOLATIONS[name]
    file = copy / path
    before = file.read_text()
    file.write_text(f"{before}\n{line}\n")
    try:
        status, said = lint(copy)
    finally:
        file.write_text(before)
    assert status != 0, said
    broken = [text for text in said.splitlines() if text.endswith("BROKEN")]
    assert [text for text in broken if contract in text], said
