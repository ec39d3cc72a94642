"""The benchmark's simulated hosts answer as the platform's roles ask them, so that its figures are those of a no-op."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks import generated, simulated

ROOT = Path(__file__).parents[2]


def test_a_simulated_platform_has_nothing_to_change():
    generated.write(43)
    simulated.forget()
    command = [Path(sys.executable).with_name("pyinfra"), "benchmarks/inventory/many.py", "deploys/full.py", "-y"]
    environment = {**os.environ, "NEXUS_ENV": "lab", simulated.VARIABLE: "0", generated.VARIABLE: "43"}
    for answers in ("worked out", "kept"):
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        said = done.stdout + done.stderr
        assert "\nmany: 8 hosts, 0 changes, 43/43 services healthy" in said, f"answers {answers}: {said[-1500:]}"
