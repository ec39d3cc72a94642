"""A path tells where its code runs, and no name hides another."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROLES = sorted(path.parent.name for path in (ROOT / "roles").glob("*/plan.py"))
PACKAGES = sorted(path.parent for room in ("nexus", "roles", "runbooks") for path in (ROOT / room).rglob("host/"))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_with_code_for_hosts_has_no_other_host(package: Path) -> None:
    """Importing its folder `host` would replace another object with that name in the package."""
    tree = ast.parse((package / "__init__.py").read_text())
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert "host" not in names


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_checked_on_hosts(role: str) -> None:
    assert (ROOT / "tests/hosts" / f"test_{role}.py").is_file(), f"tests/hosts/test_{role}.py is missing"
