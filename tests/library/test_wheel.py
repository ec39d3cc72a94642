"""The library as a wheel: built from its own folder, typed, and imported without a checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "nexus"
IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path[:0] = sys.argv[1:]
from gevent import monkey
monkey.patch_all = lambda *_, **__: None
import nexus
assert nexus.__file__.startswith(sys.argv[1]), nexus.__file__
names = [found.name for found in pkgutil.walk_packages(nexus.__path__, "nexus.") if not found.name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
print(nexus.__version__, len(names))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    shutil.copytree(LIBRARY, place / "nexus", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "-w", place, place / "nexus"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(place.glob("*.whl"))


def test_the_wheel_has_every_module_and_py_typed(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    sources = [path for path in LIBRARY.rglob("*.py") if "build" not in path.parts]
    assert {str(path.relative_to(LIBRARY.parent)) for path in sources} <= held
    assert "nexus/py.typed" in held
    assert {name.partition("/")[0] for name in held if not name.partition("/")[0].endswith(".dist-info")} == {"nexus"}


def test_the_wheel_imports_without_a_checkout(wheel: Path, tmp_path: Path) -> None:
    """Only the packages that it depends on are available."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    command = [sys.executable, "-I", "-S", "-c", IMPORT_ALL, str(tmp_path / "site"), packages]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    version, count = done.stdout.split()
    assert version.count(".") == 2
    assert int(count) > 100
