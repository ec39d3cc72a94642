"""What a run costs, compared with its peers and with absolute targets. Measures only; tests prove correctness."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
WORK = Path(os.environ.get("NEXUS_BENCH_WORK") or PROJECT / ".lab" / "bench")  # all files that benchmarks make
