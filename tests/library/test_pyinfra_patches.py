"""Each patched name of pyinfra still exists, and stock pyinfra still has the problem that the patch solves."""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from nexus.pyinfra_patches import PATCHES, VERSION, importing_without_gevent

CALLBACKS = {
    "host_before_connect", "host_connect", "host_connect_error", "host_disconnect", "operation_start",
    "operation_host_start", "operation_host_success", "operation_host_error", "operation_host_retry", "operation_end",
}  # fmt: skip
NO_CALLBACK = f"""
from pyinfra.api.state import BaseStateCallback
assert {{name for name in vars(BaseStateCallback) if not name.startswith("_")}} == {CALLBACKS!r}
"""
STOPS = """
import click, os
from click.testing import CliRunner
from pyinfra_cli.cli import cli
done = CliRunner().invoke(cli, [{inventory!r}, "exec", "--", "true"])
assert done.exit_code and {said!r} in done.output + str(done.exception), done.output
"""
CONFIG = """
import pathlib
from pyinfra.connectors.sshuserclient.client import SSHClient
pathlib.Path("config").write_text("Match final all\\n  User deploy\\n")
try:
    SSHClient().parse_config("app1", ssh_config_file="config")
except Exception:
    pass
else:
    raise AssertionError("it understands Match final")
"""
CALLED = "import inspect\nfrom pyinfra_cli import cli\nassert '{name}(state)' in inspect.getsource(cli._main)\n"
STILL = {  # true as long as the patch is needed
    "inventory": STOPS.format(inventory="hosts", said="Is a directory"),
    "connect": NO_CALLBACK,
    "commands": NO_CALLBACK,
    "run": NO_CALLBACK,
    "error": STOPS.format(inventory="wrong.py", said="Traceback"),
    "unexpected": STOPS.format(inventory="wrong.py", said="Traceback"),
    "results": CALLED.format(name="print_results"),
    "fail prompt": """
from types import SimpleNamespace
from pyinfra_cli import cli
state = SimpleNamespace()
cli._set_fail_prompts(state, SimpleNamespace())
assert callable(state.should_raise_failed_hosts)
""",
    "stack": "import inspect\nfrom pyinfra.api import util\nassert util.stack is inspect.stack\n",
    "frame": "import inspect\nfrom pyinfra.api import util\nassert util.getframeinfo is inspect.getframeinfo\n",
    "ssh": CONFIG,
    "alias": CONFIG,
}


@pytest.mark.parametrize("key", PATCHES)
def test_the_patched_name_exists_and_the_patch_is_needed(key: str, tmp_path: Path) -> None:
    patch = PATCHES[key]
    with importing_without_gevent():
        assert hasattr(importlib.import_module(patch.module), patch.name)
    (tmp_path / "hosts").mkdir()
    (tmp_path / "wrong.py").write_text("raise ValueError('somebody was here')\n")
    command = [sys.executable, "-c", STILL[key]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"look at {key}: {patch.why}\n{done.stdout}{done.stderr}"


def test_the_patches_match_the_installed_pyinfra_version() -> None:
    """Another version may have other names and its own hooks: review each patch."""
    assert version("pyinfra").startswith(f"{VERSION}.") or version("pyinfra") == VERSION


def test_no_other_file_patches_pyinfra() -> None:
    """It searches for assignments to a name of a pyinfra module."""
    root = Path(__file__).resolve().parents[2] / "nexus"
    modules = ("cli", "ssh", "util", "arguments", "pyinfra_client", "monkey")
    places = [
        f"{path.relative_to(root)}:{number}: {line.strip()}"
        for path in sorted(root.rglob("*.py"))
        if path.name != "pyinfra_patches.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if line.strip().startswith(tuple(f"{name}." for name in modules)) and " = " in line.partition("(")[0]
    ]
    assert places == []
