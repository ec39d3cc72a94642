"""What is sent to hosts imports nothing that only type checkers need, and keeps its lines."""

import ast
from pathlib import Path

import pytest

from roles.kit.lean import lean

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "roles").rglob("*.py"))
SENT = [path for path in SOURCES if path.parent.name == "agent" or "roles.kit.agent.base" in path.read_text()]


@pytest.mark.parametrize("path", SENT, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_typing(path):
    sent = lean(path)
    names = {
        name
        for node in ast.walk(ast.parse(sent))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert "typing" not in names
    assert sent.count("\n") == path.read_text().count("\n")
    assert "TypeVar(" not in sent
