"""Where and how pyinfra is started: what Python reads at its start, and how a run reacts to its surroundings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nexus import workstation
from nexus.cache import cache_directory
from nexus.cli import place
from nexus.error import OperatorError
from nexus.run import clock
from tests.plan.project_copy import PYINFRA, Project

START = (
    "import sys, site, runpy; sys.argv = sys.argv[2:]; site.addsitedir({0!r}); "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)


def start(project: Project, tmp_path: Path, here: Path, *words: str, closed: str = "") -> tuple[int, str]:
    """Start pyinfra in a Python with everything that `make` installs."""
    site = tmp_path / "site"
    site.mkdir(exist_ok=True)
    place.install(site)
    python = [sys.executable, "-c", START.format(str(site)), "-", str(PYINFRA), *words]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *python],
        cwd=here, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_pyinfra_from_elsewhere(project: Project, tmp_path: Path) -> None:
    words = f"{project.root}/inventory", f"{project.root}/deploys/full.py", "-y"
    status, text = start(project, tmp_path, Path("/"), *words)
    assert (status, text) == (
        1,
        f"error: start it where its config.py is: cd {project.root} && pyinfra inventory deploys/full.py -y\n"
        "Nothing was changed on any host.\n",
    )
    assert project.hosts.connections == 0


def test_pyinfra_with_closed_outputs(project: Project, tmp_path: Path) -> None:
    status, text = start(project, tmp_path, project.root, "inventory", "deploys/full.py", closed="<&- >&-")
    assert status == 1
    assert "add -y to make them" in text
    assert "Traceback" not in text


REFUSED = {
    "deploys": ("../inventory full.py -y", "pyinfra inventory deploys/full.py -y"),
    "roles": ("../inventory/lab.py ../deploys/base.py --dry", "pyinfra inventory/lab.py deploys/base.py --dry"),
    "": ("--config other.py inventory deploys/full.py", "--config other.py would leave out"),
    ".": ("--chdir roles ../inventory ../deploys/full.py", "pyinfra inventory deploys/full.py"),
}


@pytest.mark.parametrize("here", REFUSED)
def test_words_that_belong_elsewhere(project: Project, here: str) -> None:
    words, said = REFUSED[here]
    assert said in place.refusal(words.split(), project.root / here)


@pytest.mark.parametrize(
    "words",
    [
        "inventory deploys/full.py -y", "{0}/inventory/lab.py {0}/deploys/full.py", "@local deploys/provision.py",
        "--config config.py inventory deploys/full.py", "app1.example.com fact server.Users",
        "inventory exec -- ls /etc", "--config={0}/config.py inventory deploys/full.py",
    ],
)  # fmt: skip
def test_words_that_belong_here(project: Project, words: str) -> None:
    assert place.refusal(words.format(project.root).split(), project.root) == ""


def test_runs_of_other_projects_are_left_alone(tmp_path: Path) -> None:
    """Inventory and deploys of another project are not checked, even with a key from this project."""
    (tmp_path / "deploy.py").write_text("")
    words = ["inventory.py", "deploy.py", "--key", str(Path(__file__).parents[2] / "pyproject.toml")]
    assert place.refusal(words, tmp_path) == ""


def test_no_terminal_at_all(project: Project) -> None:
    process = subprocess.run(
        ["sh", "-c", f"exec {PYINFRA} inventory deploys/full.py <&-"], cwd=project.root, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert process.returncode == 1
    assert "add -y to make them" in process.stderr


def test_other_roles_on_the_path(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "roles").mkdir(parents=True)
    (other / "roles/__init__.py").write_text("raise ImportError('not these')\n")
    assert project.deploy(env={"PYTHONPATH": str(other)}).text.count("Connected") == 8


def test_an_error_of_this_machine_has_no_traceback(project: Project) -> None:
    outcome = project.run("inventory", "deploys/drift.py", "--data", "drift_directory=config.py")
    assert outcome.status == 1
    assert "error: " in outcome.text
    assert "config.py: File exists (on this machine)" in outcome.text
    assert "Traceback" not in outcome.text


def test_paths_without_a_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert cache_directory() == Path(os.devnull, "nexus-cos") or os.environ.get("XDG_CACHE_HOME")
    with pytest.raises(OperatorError, match="secrets_identity is ~/x"):
        workstation.at_home("~/x", "secrets_identity")


def test_a_full_output_does_not_stop_a_run() -> None:
    code = (
        "import sys; sys.path.insert(0, '.'); from nexus.workstation import _kept\n"
        "sys.stdout = _kept(sys.stdout, 1)\nfor _ in range(9): print('x' * 9999)\nsys.stderr.write('end')"
    )
    root = Path(__file__).parents[2]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=root, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "end")


@pytest.mark.parametrize(
    ("ahead", "said"),
    [(3600.0 * 24 * 400, "400 days ahead of"), (-7200.0, "2 hours behind"), (130.0, "2 minutes ahead of")],
)
def test_clocks_that_differ(ahead: float, said: str) -> None:
    with pytest.raises(OperatorError, match=f"the clock of app1 is {said} this machine's"):
        clock.check("app1", ahead)


def test_clocks_that_agree() -> None:
    clock.check("app1", -30.0)
