"""What a run costs, beside its peers and against absolute targets. Measures; the tests decide what is right."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
WORK = Path(os.environ.get("NEXUS_BENCH_WORK") or PROJECT / ".lab" / "bench")  # all that it makes and keeps
