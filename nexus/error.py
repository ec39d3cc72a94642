"""The error for operators: what is wrong, where, and what to do. Also helpers for the operator's input."""

import difflib
from collections.abc import Iterable

from pyinfra.api.exceptions import PyinfraError


class OperatorError(PyinfraError):
    """Something an operator can cause and fix. Its text is shown as it is, without a traceback."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean "x"?` for the known name closest to this one; empty if none is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


def split(words: str) -> list[str]:
    """Return the words of a comma-separated list."""
    return [word for word in words.replace(" ", "").split(",") if word]
