"""The benchmark's simulated hosts answer as the platform's roles ask them, so that its figures are those of a no-op."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import generated, simulated

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("services", [43, 100])
def test_a_simulated_platform_has_nothing_to_change(services):
    generated.write(services)
    simulated.forget()
    command = [Path(sys.executable).with_name("pyinfra"), "benchmarks/inventory/many.py", "deploys/full.py", "-y"]
    command += generated.ROOM
    environment = {**os.environ, "NEXUS_ENV": "lab", simulated.VARIABLE: "0", generated.VARIABLE: str(services)}
    closing = f"\nmany: 8 hosts, 0 changes, {services}/{services} services healthy"
    for answers in ("worked out", "kept"):
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        said = done.stdout + done.stderr
        assert closing in said, f"answers {answers}: {said[-1500:]}"
