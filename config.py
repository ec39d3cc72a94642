"""Executed by pyinfra before anything else, whenever it is started in this directory."""

import os
import sys

# pyinfra's own wish is that nothing is written; to compile this project anew takes 0.1 to 0.2 s of every run.
sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))

from roles.kit.startup import begin  # noqa: E402

begin()
