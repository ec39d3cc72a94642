"""Arguments of a deploy: what this run should do. Only `--data NAME=VALUE` gives them.

A deploy declares them at its top and passes their values on:

    given = arguments(to=Host("the host that becomes primary"), force=Flag("promote although writes may be lost"))
    failover(to=given.to, force=given.force)

The declaration is read before the deploy runs (nexus/cli/deploy_arguments.py), so it consists of kinds and literals.
A deploy that another one includes gets the values that the deploy on the command line takes too, and defaults for the
rest. Plans see one argument, `prune_data`, as `env.prune_data`.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from nexus.environment import deploy_declaration
from nexus.error import OperatorError
from nexus.run.argument_kinds import Argument, Choice, Flag, Host, Number, Service, Services, Since, Store, Word
from nexus.run.run import current_run

__all__ = ["Choice", "Flag", "Host", "Number", "Service", "Services", "Since", "Store", "Word", "arguments"]

KINDS = {kind.__name__: kind for kind in Argument.__subclasses__()}
EVERY_RUN: Mapping[str, Argument] = {
    "without": Word("hosts to leave out of this run, separated by commas"),
    "plan": Word("with --dry: file in which to write what the run would do, for a review"),
    "apply": Word("file with a reviewed plan, to be carried out if nothing has moved since"),
    "help": Flag("print this instead of a run"),
}


@dataclass(frozen=True)
class Declaration:
    """What a deploy says of itself: its arguments, and whether it changes nothing."""

    arguments: Mapping[str, Argument] = field(default_factory=dict)
    read_only: bool = False


def arguments(*, read_only: bool = False, **declared: Argument) -> SimpleNamespace:
    """Declare the arguments of a deploy; their values in this run.

    `read_only`: the deploy changes nothing. It needs no consent and continues with the hosts that answer.
    """
    run = current_run()
    values = {
        name: kind.read(name, run.given[name], run.environment) if name in run.given else kind.default
        for name, kind in declared.items()
    }
    return SimpleNamespace(**values)


@cache
def declared(path: Path) -> Declaration:
    """What the file of a deploy declares; OperatorError with file and line where that cannot be read."""
    call = deploy_declaration.call(path)
    if call is None:
        return Declaration()
    names = {"__builtins__": {}, deploy_declaration.CALL: _declare, **KINDS}
    try:
        found: Declaration = eval(compile(ast.Expression(call), str(path), "eval"), names)
    except Exception:  # such as an unknown kind, or a value that only a run could have
        raise OperatorError(
            f'{path}:{call.lineno}: arguments are declared as NAME=KIND("meaning", ...) with plain values; '
            f"kinds: {', '.join(KINDS)}"
        ) from None
    return found


def _declare(read_only: bool = False, **declared: Argument) -> Declaration:
    if not all(isinstance(kind, Argument) for kind in declared.values()):
        raise TypeError
    return Declaration(declared, read_only)
