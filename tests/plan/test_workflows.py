"""Workflows name commands that exist, and put no text of others into a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from nexus.environment import settings
from nexus.run.arguments import EVERY_RUN, declared
from tests import documented

GITHUB = documented.ROOT / ".github"
FILES = sorted([*GITHUB.glob("workflows/*.yml"), *GITHUB.glob("actions/*/action.yml")])
DEPLOY = re.compile(r"(deploys/\w+\.py)(.*)")
TARGETS = set(re.findall(r"^([a-z][a-z-]*|\.venv/\w+):", (documented.ROOT / "Makefile").read_text(), re.MULTILINE))


def steps(path: Path) -> list[dict[str, Any]]:
    """All steps of a workflow or an action."""
    content = yaml.safe_load(path.read_text())
    parts = [content["runs"]] if "runs" in content else content["jobs"].values()
    return [step for part in parts for step in part["steps"]]


def test_workflows_are_found() -> None:
    assert {"pull-request.yml", "drift.yml", "release.yml", "verify.yml", "bundle-thiio-handoff.yml"} <= {
        path.name for path in FILES
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_commands_exist(path: Path) -> None:
    for text in (str(step["run"]) for step in steps(path) if "run" in step):
        for deploy, rest in DEPLOY.findall(text):
            known = {*declared(Path(deploy)).arguments, *EVERY_RUN, *settings.defaults(), "release"}
            given = re.findall(r"--data \"?(\w+)=", rest)
            assert Path(deploy).is_file()
            assert [name for name in given if name not in known] == []
        assert [target for target in re.findall(r"^make (\S+)", text, re.MULTILINE) if target not in TARGETS] == []
        for script in re.findall(r"\b((?:scripts|tests|\.ci)/[\w.-]+[\w])(?=[ \n]|$)", text):
            assert (documented.ROOT / script).exists(), script


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_text_of_others_is_in_a_shell(path: Path) -> None:
    """Inputs and secrets reach a shell by its environment."""
    assert [step["run"] for step in steps(path) if "${{" in str(step.get("run", ""))] == []


@pytest.mark.parametrize("path", [path for path in FILES if path.name != "action.yml"], ids=lambda path: path.name)
def test_jobs_may_only_read(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    assert content["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job for job in content["jobs"].values())


def lint_workflows(**variables: str) -> subprocess.CompletedProcess[str]:
    """The result of `make lint-workflows` with these variables in its environment."""
    words = [str(shutil.which("make")), "-o", ".venv/ready", "lint-workflows"]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    env = {**inherited, **variables}
    return subprocess.run(words, cwd=documented.ROOT, env=env, capture_output=True, text=True, check=False)


def test_without_go_workflows_are_skipped(tmp_path: Path) -> None:
    for name in ("sh", "id", "date"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    done = lint_workflows(PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "workflows: skipped, actionlint needs Go\n"), done.stderr


@pytest.mark.skipif(not shutil.which("go"), reason="needs Go")
def test_actionlint_finds_nothing(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--full"):
        pytest.skip("Go fetches and builds actionlint: runs with --full")
    done = lint_workflows()
    assert (done.returncode, done.stdout) == (0, "workflows: no finding\n"), done.stdout + done.stderr
