"""Host-side code as it is sent: without what only a type checker reads."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

# Importing `typing` costs a host 6 ms of its processor, as much as all that a question reads from its disk.
IMPORT = re.compile(r"^from typing import [^(\n]+$", re.MULTILINE)
VARIABLE = re.compile(r"^\w+ = TypeVar\([^\n]+$", re.MULTILINE)  # in annotations alone, which nobody evaluates


@cache
def lean(path: Path) -> str:
    """Source of a file for a host, line for line, so that a traceback names lines of the file."""
    text = IMPORT.sub("Any = object", path.read_text())
    return VARIABLE.sub("", text) if "TypeVar(" in text else text
