"""The scenarios' page: made by a pytest session, kept across sessions."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFTEST = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests/scenarios")!r}]
from pathlib import Path
import pytest
from report import Report

def pytest_configure(config):
    config.report = Report(Path({{directory!r}}))
    config.pluginmanager.register(config.report)

@pytest.fixture
def figure(pytestconfig):
    return pytestconfig.report.figure
"""
SCENARIOS = '''
"""Stores under <damage>."""
import pytest

def test_primary_killed(figure):
    """Again and again."""
    figure("longest gap", 10.5)
    moments = [100 + n / 10 for n in range(50)] + [115.5 + n / 10 for n in range(50)]
    figure.timeline("writes", {"acknowledged": moments, "lost": [107.0]}, killed=105.0)

@pytest.mark.parametrize("kind", ["never ready"])
def test_bad_release(kind):
    assert FINE

def test_elsewhere():
    pytest.skip("not here")
'''


def session(directory: Path, fine: bool) -> tuple[int, str]:
    """Exit status and output of pytest in a project with three scenarios."""
    import subprocess

    place = directory / "tests/scenarios"
    place.mkdir(parents=True, exist_ok=True)
    (directory / "pytest.ini").write_text("[pytest]\n")
    (place / "conftest.py").write_text(CONFTEST.format(directory=str(directory / "reports")))
    (place / "test_stores.py").write_text(SCENARIOS.replace("FINE", str(fine)))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/scenarios"],
        cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports of two sessions; in the second one scenario fails."""
    directory = tmp_path_factory.mktemp("project")
    assert session(directory, fine=True)[0] == 0
    status, output = session(directory, fine=False)
    assert status == 1, output
    assert re.search(r"longest gap +10\.5 s", output)
    return directory / "reports"


def test_runs_are_shown_next_to_each_other(reports: Path) -> None:
    kept = json.loads((reports / "scenarios.json").read_text())
    assert {name: [run["outcome"] for run in found["runs"]] for name, found in kept.items()} == {
        "tests/scenarios/test_stores.py::test_primary_killed": ["passed", "passed"],
        "tests/scenarios/test_stores.py::test_bad_release[never ready]": ["failed", "passed"],
    }


def test_the_page_says_what_failed_and_shows_the_gap(reports: Path) -> None:
    page = (reports / "scenarios.html").read_text()
    assert "<strong>1 of 2 scenarios</strong> failed" in page
    assert "Stores under &lt;damage&gt;." in page
    assert "Bad release, never ready" in page
    assert re.search(r'<text class="gap"[^>]*>10\.6 s</text>', page)
    assert re.search(r'<text class="mark"[^>]*>killed</text>', page)
    assert page.count('class="dot failed"') == 1
    assert "http" not in page.replace("http://www.w3.org", "")
