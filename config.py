"""Executed by pyinfra before anything else, whenever it is started in this directory."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # whatever PYTHONPATH names, these roles are meant

# pyinfra's own wish is that nothing is written; to compile this project anew takes 0.1 to 0.2 s of every run.
sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))

from nexus.cli.startup import begin  # noqa: E402
from roles.table import ROLES  # noqa: E402

begin(ROLES)
