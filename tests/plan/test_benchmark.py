"""The benchmark's simulated hosts answer as the platform's roles ask them, so that its figures are those of a no-op."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import generated, growth, simulated

ROOT = Path(__file__).parents[2]
WRITE = "import sys; from benchmarks import generated; generated.write(int(sys.argv[1]))"


@pytest.mark.parametrize("services", [43, 100])
def test_a_simulated_platform_has_nothing_to_change(services, tmp_path):
    own = {"NEXUS_BENCH_WORK": tmp_path / "work", "XDG_CACHE_HOME": tmp_path / "cache", "TMPDIR": tmp_path}
    told = {"NEXUS_ENV": "lab", simulated.VARIABLE: "0", generated.VARIABLE: services}
    environment = {**os.environ, **{name: str(value) for name, value in {**own, **told}.items()}}

    def run(*command):
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)

    for code in (WRITE, growth.PLAN):  # as in the benchmark: the first plan creates the secrets
        run(sys.executable, "-c", code, str(services)).check_returncode()
    command = [Path(sys.executable).with_name("pyinfra"), "benchmarks/inventory/many.py", "deploys/full.py", "-y"]
    command += generated.ROOM
    closing = f"\nmany: 8 hosts, 0 changes, {services}/{services} services healthy"
    for answers in ("worked out", "kept"):
        done = run(*command)
        said = done.stdout + done.stderr
        assert closing in said, f"answers {answers}: {said[-1500:]}"
    assert list((tmp_path / "work" / "simulated").iterdir())
