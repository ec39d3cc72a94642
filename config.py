"""pyinfra executes this file before anything else, whenever it starts in this directory."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # these roles, whatever PYTHONPATH names

# pyinfra turns bytecode files off; without them every run spends 0.1 to 0.2 s compiling this project.
sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))

from nexus.cli.startup import begin  # noqa: E402
from roles.table import ROLES  # noqa: E402

begin(ROLES)
