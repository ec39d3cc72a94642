"""The names of the arguments that deploys declare, read from their files without running them.

A deploy declares them once, in its call of `arguments` (nexus/run/arguments.py). Arguments are not settings, and the
check of settings uses these names to say so.
"""

import ast
from pathlib import Path

from nexus import project
from nexus.error import OperatorError

CALL = "arguments"
READ_ONLY = "read_only"  # the one keyword that is not an argument: the deploy changes nothing
EVERYWHERE = ("without", "plan", "apply", "help")  # arguments of every run, whichever deploy it starts


def call(path: Path) -> ast.Call | None:
    """The call in which a deploy declares its arguments; None if it declares none, or if the file does not exist.

    Raises OperatorError with file and line for a syntax error and for a second declaration.
    """
    try:
        tree = ast.parse(path.read_text())
    except OSError:  # pyinfra reports it
        return None
    except SyntaxError as error:
        raise OperatorError(f"{path}:{error.lineno}: this is not valid Python: {error.msg}") from None
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == CALL
    ]
    if len(calls) > 1:
        place = f"{path}:{calls[1].lineno}"
        raise OperatorError(f"{place}: a deploy declares its arguments once: merge this call with the first")
    return calls[0] if calls else None


def names(path: Path) -> list[str]:
    """Names of the arguments that a deploy takes."""
    found = call(path)
    return [word.arg for word in found.keywords if word.arg and word.arg != READ_ONLY] if found else []


def takers(name: str) -> list[str]:
    """Deploys that take an argument of this name, as deploys/NAME.py; ["every run"] if all of them do."""
    if name in EVERYWHERE:
        return ["every run"]
    files = sorted((project.root() / "deploys").glob("*.py"))
    return [f"deploys/{path.name}" for path in files if name in _readable(path)]


def _readable(path: Path) -> list[str]:
    """The arguments of a deploy, or none: a mistake in a deploy that this run may not start does not stop the run."""
    try:
        return names(path)
    except OperatorError:
        return []
