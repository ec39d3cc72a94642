"""Commands of the form `python -m MODULE ENV`, which print lines about an environment."""

import sys
from collections.abc import Callable, Iterable, Sequence

from nexus.error import OperatorError

# For commands that need no secret, so that no key is asked for: this file does not exist and is never written.
NO_SECRETS = {"secrets_file": "group_data/secrets/none", "secrets_generate": True}


def command(module: str, lines: Callable[[str], Iterable[str]], words: Sequence[str]) -> int:
    """Print the lines that `lines(ENV)` returns, and return the exit status.

    An OperatorError is printed as one line on standard error.
    """
    if len(words) != 1 or words[0].startswith("-"):
        print(f"usage: python -m {module} ENV   (ENV is a file inventory/ENV.py)", file=sys.stderr)
        return 2
    try:
        print(*lines(words[0]), sep="\n")
    except OperatorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
