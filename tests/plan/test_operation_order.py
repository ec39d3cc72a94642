"""Operations keep the order and the identity that pyinfra's own code gives them."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyinfra
import pytest
from pyinfra.api import util

from nexus.pyinfra_patches import install_frames

INNER = "def role():\n    found.append(order())\n\n\nrole()\n"
OUTER = "# a deploy that includes another\n\nexecute({inner!r}, names)\n"


def execute(path: str, names: dict[str, Any]) -> None:
    """As pyinfra runs a deploy file: its text, without a module."""
    exec(compile(Path(path).read_text(), path, "exec"), {**names, "names": names})


@pytest.mark.parametrize("relative", [True, False])
def test_the_order_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relative: bool) -> None:
    """For files named relative to the working directory, as pyinfra does, and by their full path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pyinfra, "is_cli", True)
    monkeypatch.setattr(util, "stack", inspect.stack)
    monkeypatch.setattr(util, "getframeinfo", inspect.getframeinfo)
    inner, outer = (str(Path(name) if relative else tmp_path / name) for name in ("inner.py", "outer.py"))
    Path(inner).write_text(INNER)
    Path(outer).write_text(OUTER.format(inner=inner))
    found: list[list[int]] = []
    state: Any = SimpleNamespace(current_deploy_filename=outer, current_op_file_number=3)
    names = {"execute": execute, "found": found, "order": lambda: util.get_operation_order_from_stack(state)}
    for install in (lambda: None, install_frames):
        install()
        execute(outer, names)
    assert found[0] == found[1]
    assert found[0][:2] == [3, 3]
    assert len(found[0]) > 4
