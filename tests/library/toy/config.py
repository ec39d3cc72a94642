"""A project of two roles, started as an operator starts it."""

import os
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), os.environ["NEXUS_LIBRARY"]]

from nexus import project  # noqa: E402

project.serve(Path(__file__).parent)

from nexus.cli.startup import begin  # noqa: E402
from roles.table import ROLES  # noqa: E402

begin(ROLES)
