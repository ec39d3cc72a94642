"""`make test` runs at least one case of every scenario file; cases marked `full` run with `make scenarios`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEED_MORE = {
    "tests/scenarios/test_search_store.py",  # needs Java and Maven, which `make test` does not
    "tests/scenarios/test_cloud.py",  # needs no lab: its sample is in tests/plan/test_aws_fault.py
    "tests/scenarios/test_compose.py",  # starts all services a second time, next to those of the lab
    "tests/scenarios/test_kubernetes.py",  # needs no lab: its sample is in tests/plan/test_kubernetes_mistake.py
    "tests/scenarios/test_reproducible.py",  # needs no lab: its sample is in tests/plan/test_handoff_bundle.py
}


def test_every_scenario_file_has_a_short_case() -> None:
    words = ["-m", "pytest", "tests/scenarios", "--collect-only", "-q", "-m", "not full", "-p", "no:cacheprovider"]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    sampled = {line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line}
    there = {str(file.relative_to(ROOT)) for file in (ROOT / "tests/scenarios").glob("test_*.py")}
    assert len(there) > 20
    assert sampled == there - NEED_MORE
