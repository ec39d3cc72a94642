"""Runs pyinfra with a clock that is wrong by SECONDS: clock.py SECONDS WORD..."""

import runpy
import sys
import time
from pathlib import Path

_now, _seconds = time.time, float(sys.argv[1])
time.time = lambda: _now() + _seconds
sys.argv = [str(Path(sys.executable).with_name("pyinfra")), *sys.argv[2:]]
runpy.run_path(sys.argv[0], run_name="__main__")
