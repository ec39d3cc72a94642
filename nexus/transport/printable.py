"""Makes output of hosts printable: it may contain any bytes, and none of them may control the terminal."""

import json
import re
from typing import Any

MARK = "\N{REPLACEMENT CHARACTER}"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # all except tab and newline
# The same in the agents' JSON, where every character that is not ASCII is an escape: a pair of surrogates is a
# character, a single one stands for a byte that is not UTF-8.
ESCAPE = re.compile(
    r"\\(?:\\|u[dD][89abAB]..\\u[dD][c-fC-F]..|u(?:00[01][0-9a-f]|00[89][0-9a-f]|007f|[dD][89a-fA-F]..))"
)


def text(line: str) -> str:
    """A line of output that is safe to show anywhere."""
    return line if line.isprintable() else CONTROL.sub(MARK, line)


def answer(line: str) -> dict[str, Any]:
    """An answer of the agent, with only printable text."""
    if "\\u" in line:
        line = ESCAPE.sub(_shown, line)
    found: dict[str, Any] = json.loads(line)
    return found


def _shown(found: re.Match[str]) -> str:
    escape = found[0]
    return escape if escape == "\\\\" or len(escape) > 6 else MARK
